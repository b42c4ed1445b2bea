// The frame loop of one schedule: a runner, the slots its phases exchange, and the order in which they run.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "runtime/runner.h"

namespace yanrt {

// What happened so far; part of a snapshot.
struct SessionCounters {
  int64_t appended = 0;  // latents put into the history since reset
  int64_t primed = 0;    // calls whose frames were dropped since reset
  int64_t steps = 0;     // calls whose frames were given to the caller since reset
};

struct PhaseTime {
  const std::string* name = nullptr;
  double milliseconds = 0;
};

// All members may be called from any thread; calls on one session wait for each other.
class Session {
 public:
  // Throws Error(argument) naming the schedules there are.
  Session(std::shared_ptr<const Engine> engine, const std::string& schedule);
  ~Session();

  const Engine& engine() const { return *engine_; }
  const Schedule& schedule() const { return *schedule_; }
  SessionCounters counters() const;

  // Bytes of the arrays the calls below take, all dense: action f32 [batch, T, buttons], frames u8 [batch, T, H, W, 3],
  // latent f32 [batch, h, w, c].
  size_t action_bytes() const;
  size_t frames_bytes() const;
  size_t latent_bytes() const;
  const Dims& latent_shape() const;
  // Where step() leaves its frames in the memory of the device; the next step writes there.
  const std::byte* frames_on_device() const;

  // Empty history, nothing in flight.
  void reset(std::span<const int64_t> seeds);
  // Encodes frames into a clean latent. Changes no state.
  void encode(std::span<const std::byte> frames, std::span<std::byte> latent);
  // Frames of a clean latent, by the decoding phase of on_step. Changes no state. Throws Error(unsupported) if there is
  // no phase that needs a latent alone.
  void decode(std::span<const std::byte> latent, std::span<std::byte> frames);
  // A clean latent enters the history; latents in flight are dropped. prime() must follow before the next step.
  void append(std::span<const std::byte> latent, std::span<const std::byte> action);
  // Fills the pipeline: `delay` calls with no action, without the phases that only make frames of them.
  void prime();
  // One call: T frames into `frames`. Returns the time of each phase; valid until the next call.
  std::span<const PhaseTime> step(std::span<const std::byte> action, std::span<std::byte> frames);

  // The same in two: submit() sets a step off, collect() waits for the oldest one and takes its frames. `depth` of them
  // may be under way, so that a device goes on computing while its frames are used. Until all are collected, every
  // other call that would see or change the state throws Error(state).
  void submit(std::span<const std::byte> action);
  std::span<const PhaseTime> collect(std::span<std::byte> frames);
  int depth() const;

  // The whole state, counters included; restore() takes it back in any process that has the same package, schedule,
  // precision and instruction set. Throws Error(argument) if it is from another one, or damaged.
  std::vector<std::byte> snapshot() const;
  void restore(std::span<const std::byte> snapshot);
  std::unique_ptr<Session> fork() const;

 private:
  class Event;

  void require_idle() const;
  std::span<const PhaseTime> count_step();
  std::shared_ptr<const Engine> engine_;
  const Schedule* schedule_;
  Runner runner_;
  std::unique_ptr<Event> on_step_, on_prime_, on_append_, on_encode_, on_decode_;
  SessionCounters counters_;
  int under_way_ = 0;  // steps submitted and not collected
  std::vector<PhaseTime> times_;
  std::vector<double> milliseconds_;  // of each phase
  std::vector<std::byte> no_action_;  // all zero
  mutable std::mutex mutex_;
};

}  // namespace yanrt
