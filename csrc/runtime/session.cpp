#include "runtime/session.h"

#include <algorithm>
#include <cstring>

#include "core/error.h"
#include "runtime/quoted_keys.h"
#include "runtime/snapshot.h"

namespace yanrt {
namespace {

const Schedule& find_schedule(const Package& package, const std::string& name) {
  const auto it = package.schedules.find(name);
  if (it != package.schedules.end()) return it->second;
  throw Error(ErrorKind::argument, "package " + quote(package.name) + " has no schedule " + quote(name) + "; it has " +
                                       quoted_keys(package.schedules));
}

void check_bytes(const char* what, size_t given, size_t wanted) {
  if (given != wanted)
    throw Error(ErrorKind::argument,
                std::string(what) + " must be " + std::to_string(wanted) + " bytes; got " + std::to_string(given));
}

}  // namespace

// The phases of one event, bound, and the memory of their slots. `action`, `frames` and `latent` are the slots that a
// caller fills or reads, found once; null where the event has none.
class Session::Event {
 public:
  struct Slot {
    std::string name;
    TensorDesc desc;
    std::byte* data = nullptr;
  };
  struct BoundPhase {
    const Phase* phase;
    const Plan* plan;
    std::unique_ptr<BoundProgram> program;
  };

  Event(const Engine& engine, const Runner& runner, const std::vector<Phase>& phases) {
    for (const Phase& phase : phases) {
      const Plan& plan = engine.program(phase.program).plan;
      declare(phase.inputs, plan.inputs);
      declare(phase.outputs, plan.outputs);
    }
    size_t bytes = 0;
    for (const Slot& slot : slots_) bytes += align_up(slot.desc.bytes());
    memory_ = engine.allocate(bytes);
    std::byte* at = memory_->data();
    for (Slot& slot : slots_) {
      slot.data = at;
      at += align_up(slot.desc.bytes());
    }
    for (const Phase& phase : phases) {
      const Plan& plan = engine.program(phase.program).plan;
      phases_.push_back(
          {&phase, &plan,
           runner.bind(phase.program, pointers(phase.inputs, plan.inputs), pointers(phase.outputs, plan.outputs))});
    }
    action = find("action");
    frames = find("frames");
    latent = find("latent");
  }

  const std::vector<BoundPhase>& phases() const { return phases_; }

  // The phase that makes frames out of a latent alone and remembers nothing; null if there is none.
  const BoundPhase* decoder() const {
    for (const BoundPhase& bound : phases_) {
      const auto& in = bound.phase->inputs;
      const auto& out = bound.phase->outputs;
      const bool latent_alone = in.size() == 1 && in.front().slot == "latent";
      const bool makes_frames = std::any_of(out.begin(), out.end(), [](const auto& b) { return b.slot == "frames"; });
      if (latent_alone && makes_frames && bound.plan->updates.empty()) return &bound;
    }
    return nullptr;
  }

  const Slot* action = nullptr;
  const Slot* frames = nullptr;
  const Slot* latent = nullptr;

 private:
  const Slot* find(std::string_view name) const {
    for (const Slot& slot : slots_)
      if (slot.name == name) return &slot;
    return nullptr;
  }

  void declare(const std::vector<SlotBinding>& bindings, const std::vector<PlannedPort>& ports) {
    for (const SlotBinding& binding : bindings)
      for (const PlannedPort& port : ports)
        if (port.name == binding.port && !find(binding.slot)) slots_.push_back({binding.slot, port.desc});
  }

  // One pointer a port; an output that is bound to no slot would have nowhere to go, and the verifier refuses it.
  std::vector<std::byte*> pointers(const std::vector<SlotBinding>& bindings,
                                   const std::vector<PlannedPort>& ports) const {
    std::vector<std::byte*> result;
    for (const PlannedPort& port : ports)
      for (const SlotBinding& binding : bindings)
        if (binding.port == port.name) result.push_back(find(binding.slot)->data);
    return result;
  }

  std::vector<Slot> slots_;
  std::unique_ptr<Memory> memory_;
  std::vector<BoundPhase> phases_;
};

Session::Session(std::shared_ptr<const Engine> engine, const std::string& schedule)
    : engine_(std::move(engine)), schedule_(&find_schedule(engine_->package(), schedule)), runner_(engine_) {
  on_step_ = std::make_unique<Event>(*engine_, runner_, schedule_->on_step);
  if (!schedule_->on_append.empty()) on_append_ = std::make_unique<Event>(*engine_, runner_, schedule_->on_append);
  if (!schedule_->on_encode.empty()) on_encode_ = std::make_unique<Event>(*engine_, runner_, schedule_->on_encode);
  for (const Phase& phase : schedule_->on_step) times_.push_back({&phase.name, 0});
}

Session::~Session() = default;

SessionCounters Session::counters() const {
  const std::lock_guard lock(mutex_);
  return counters_;
}

size_t Session::action_bytes() const { return on_step_->action->desc.bytes(); }
size_t Session::frames_bytes() const { return on_step_->frames->desc.bytes(); }
size_t Session::latent_bytes() const { return static_cast<size_t>(latent_shape().numel()) * sizeof(float); }
const Dims& Session::latent_shape() const {
  if (!on_append_)
    throw Error(ErrorKind::state, "schedule '" + schedule_->name + "' takes no latents: it has no on_append");
  return on_append_->latent->desc.shape;
}

void Session::run(Event& event, std::span<PhaseTime> times) {
  const auto lock = engine_->lend_workspace();
  auto start = std::chrono::steady_clock::now();
  for (size_t i = 0; i < event.phases().size(); ++i) {
    event.phases()[i].program->run();
    const auto end = std::chrono::steady_clock::now();
    if (i < times.size()) times[i].milliseconds = std::chrono::duration<double, std::milli>(end - start).count();
    start = end;
  }
  for (const Event::BoundPhase& phase : event.phases()) runner_.publish(*phase.plan);
}

void Session::reset(std::span<const int64_t> seeds) {
  const std::lock_guard lock(mutex_);
  runner_.reset(seeds);
  counters_ = {};
}

void Session::encode(std::span<const std::byte> frames, std::span<std::byte> latent) {
  const std::lock_guard lock(mutex_);
  if (!on_encode_)
    throw Error(ErrorKind::unsupported, "package '" + engine_->package().name + "' has no encoder for schedule '" +
                                            schedule_->name + "': export it with one, or append latents");
  check_bytes("frames", frames.size(), frames_bytes());
  check_bytes("latent", latent.size(), latent_bytes());
  std::memcpy(on_encode_->frames->data, frames.data(), frames.size());
  run(*on_encode_, {});
  std::memcpy(latent.data(), on_encode_->latent->data, latent.size());
}

void Session::decode(std::span<const std::byte> latent, std::span<std::byte> frames) {
  const std::lock_guard lock(mutex_);
  const Event::BoundPhase* decoder = on_step_->decoder();
  if (!decoder)
    throw Error(ErrorKind::unsupported, "schedule " + quote(schedule_->name) + " of package " +
                                            quote(engine_->package().name) +
                                            " has no phase that makes frames of one latent: step() alone shows them");
  check_bytes("latent", latent.size(), on_step_->latent->desc.bytes());
  check_bytes("frames", frames.size(), frames_bytes());
  const auto workspace = engine_->lend_workspace();
  std::memcpy(on_step_->latent->data, latent.data(), latent.size());
  decoder->program->run();
  std::memcpy(frames.data(), on_step_->frames->data, frames.size());
}

void Session::append(std::span<const std::byte> latent, std::span<const std::byte> action) {
  const std::lock_guard lock(mutex_);
  check_bytes("latent", latent.size(), latent_bytes());
  check_bytes("action", action.size(), action_bytes());
  std::memcpy(on_append_->latent->data, latent.data(), latent.size());
  std::memcpy(on_append_->action->data, action.data(), action.size());
  run(*on_append_, {});
  ++counters_.appended;
}

void Session::prime() {
  const std::lock_guard lock(mutex_);
  std::memset(on_step_->action->data, 0, on_step_->action->desc.bytes());
  for (int i = 0; i < schedule_->delay; ++i) run(*on_step_, {});
  counters_.primed += schedule_->delay;
}

std::span<const PhaseTime> Session::step(std::span<const std::byte> action, std::span<std::byte> frames) {
  const std::lock_guard lock(mutex_);
  check_bytes("action", action.size(), action_bytes());
  check_bytes("frames", frames.size(), frames_bytes());
  std::memcpy(on_step_->action->data, action.data(), action.size());
  run(*on_step_, times_);
  std::memcpy(frames.data(), on_step_->frames->data, frames.size());
  ++counters_.steps;
  return times_;
}

std::vector<std::byte> Session::snapshot() const {
  const std::lock_guard lock(mutex_);
  return write_snapshot(*engine_, schedule_->name, counters_, runner_.state_bytes());
}

void Session::restore(std::span<const std::byte> snapshot) {
  const std::lock_guard lock(mutex_);
  counters_ = read_snapshot(snapshot, *engine_, schedule_->name, runner_.state_bytes());
}

std::unique_ptr<Session> Session::fork() const {
  auto copy = std::make_unique<Session>(engine_, schedule_->name);
  const std::lock_guard lock(mutex_);
  std::memcpy(copy->runner_.state_bytes().data(), runner_.state_bytes().data(), runner_.state_bytes().size());
  copy->counters_ = counters_;
  return copy;
}

}  // namespace yanrt
