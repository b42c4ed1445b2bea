// One set of state over an engine, and single programs run on it. A session is a runner plus a frame loop.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "runtime/engine.h"

namespace yanrt {

class Runner {
 public:
  explicit Runner(std::shared_ptr<const Engine> engine);

  const Engine& engine() const { return *engine_; }

  // Back to the initial state; `seed` (one for each entry of the batch) goes to the seed state, if there is one.
  void reset(std::span<const int64_t> seeds);

  // A program bound to this state and to the given buffers; `inputs` and `outputs` follow the program's ports.
  std::unique_ptr<BoundProgram> bind(const std::string& program, std::span<std::byte* const> inputs,
                                     std::span<std::byte* const> outputs) const;
  // Makes the pending values of a program that has run its state.
  void publish(const Plan& plan);

  // Runs one program and publishes its updates. `inputs` are dense arrays of the ports' sizes, `outputs` likewise.
  void run(const std::string& program, std::span<const std::byte* const> inputs, std::span<std::byte* const> outputs);

  // Values of a state, always in its declared dtype (bf16 rings are converted).
  void read_state(const std::string& name, std::span<std::byte> out) const;
  void write_state(const std::string& name, std::span<const std::byte> in);
  const StateLayout::Entry& state(const std::string& name) const;

  // The whole state, as bytes; only for an engine of the same package, precision and backend.
  std::span<std::byte> state_bytes() const { return {state_->data(), engine_->states().state_bytes}; }

 private:
  std::shared_ptr<const Engine> engine_;
  std::unique_ptr<Memory> state_;
  std::unique_ptr<Memory> pending_;
};

}  // namespace yanrt
