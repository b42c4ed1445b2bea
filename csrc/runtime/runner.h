// One set of state over an engine, and single programs run on it. A session is a runner plus a frame loop.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "runtime/engine.h"

namespace yanrt {

// Does a program read or write state?
bool touches_state(const Plan& plan);

class Runner {
 public:
  explicit Runner(std::shared_ptr<const Engine> engine);

  const Engine& engine() const { return *engine_; }

  // Back to the initial state; `seed` (one for each entry of the batch) goes to the seed state, if there is one.
  void reset(std::span<const int64_t> seeds);

  // A program as a stage of a sequence over this state, its ports at the given addresses of the device; `inputs` and
  // `outputs` follow the program's ports and must live until the sequence is recorded.
  SequenceSpec::Stage stage(const std::string& program, std::span<std::byte* const> inputs,
                            std::span<std::byte* const> outputs) const;
  // What makes the pending values of a program that has run its state.
  std::vector<SequenceSpec::Copy> publication(const std::string& program) const;

  // Runs one program and publishes its updates. `inputs` are dense arrays of the ports' sizes, `outputs` likewise.
  void run(const std::string& program, std::span<const std::byte* const> inputs, std::span<std::byte* const> outputs);

  // Values of a state, always in its declared dtype (bf16 and E4M3 rings are converted).
  void read_state(const std::string& name, std::span<std::byte> out) const;
  void write_state(const std::string& name, std::span<const std::byte> in);
  const StateLayout::Entry& state(const std::string& name) const;

  // The whole state, as bytes; only for an engine of the same package, precision and backend.
  size_t state_bytes() const { return engine_->states().state_bytes; }
  void save(std::span<std::byte> out) const { state_->read(0, out); }
  void load(std::span<const std::byte> in) { state_->write(0, in); }
  void copy_from(const Runner& other) { state_->copy_from(*other.state_); }

 private:
  // A program over arrays of the host: the memory of its ports, and the recording. Made at its first run.
  struct Recorded {
    std::unique_ptr<Memory> ports;
    std::unique_ptr<Sequence> sequence;
  };
  const Recorded& recorded(const std::string& program);

  std::shared_ptr<const Engine> engine_;
  std::unique_ptr<Memory> state_;
  std::unique_ptr<Memory> pending_;
  std::map<std::string, Recorded> recorded_;
};

}  // namespace yanrt
