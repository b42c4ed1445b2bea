#include "runtime/session.h"

#include <algorithm>
#include <deque>
#include <initializer_list>

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

// The phase that makes frames out of a latent alone and remembers nothing; empty if there is none.
std::vector<Phase> decoding_phase(const Engine& engine, const std::vector<Phase>& phases) {
  for (const Phase& phase : phases) {
    const bool latent_alone = phase.inputs.size() == 1 && phase.inputs.front().slot == "latent";
    const bool makes_frames = std::ranges::any_of(phase.outputs, [](const auto& b) { return b.slot == "frames"; });
    if (latent_alone && makes_frames && engine.program(phase.program).plan.updates.empty()) return {phase};
  }
  return {};
}

// Without the last phases that only make frames: what a call must run if nobody wants those.
std::vector<Phase> remembering_phases(const Engine& engine, std::vector<Phase> phases) {
  const auto only_makes_frames = [&engine](const Phase& phase) {
    const bool takes_action = std::ranges::any_of(phase.inputs, [](const auto& b) { return b.slot == "action"; });
    return !takes_action && !touches_state(engine.program(phase.program).plan);
  };
  while (!phases.empty() && only_makes_frames(phases.back())) phases.pop_back();
  return phases;
}

}  // namespace

// The phases of one event, recorded, and the memory of their slots. Arrays enter through the slots named `from` and
// leave through those named `to`.
class Session::Event {
 public:
  struct Slot {
    std::string name;
    TensorDesc desc;
    std::byte* data = nullptr;
  };

  Event(const Engine& engine, const Runner& runner, const std::vector<Phase>& phases,
        std::initializer_list<std::string_view> from, std::initializer_list<std::string_view> to) {
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
    sequence_ = engine.record(describe(engine, runner, phases, from, to));
  }

  // `inputs` and `outputs` follow `from` and `to`; see Sequence.
  void run(std::initializer_list<const std::byte*> inputs, std::initializer_list<std::byte*> outputs,
           std::span<double> milliseconds) {
    start(inputs);
    finish(outputs, milliseconds);
  }
  void start(std::initializer_list<const std::byte*> inputs) { sequence_->start({inputs.begin(), inputs.size()}); }
  void finish(std::initializer_list<std::byte*> outputs, std::span<double> milliseconds) {
    sequence_->finish({outputs.begin(), outputs.size()}, milliseconds);
  }
  int depth() const { return sequence_->depth(); }
  const Slot& slot(std::string_view name) const {
    if (const Slot* found = find(name)) return *found;
    throw Error(ErrorKind::state, "this schedule has no slot '" + std::string(name) + "' in this event");
  }

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

  SequenceSpec describe(const Engine& engine, const Runner& runner, const std::vector<Phase>& phases,
                        std::initializer_list<std::string_view> from, std::initializer_list<std::string_view> to) {
    SequenceSpec spec;
    for (const Phase& phase : phases) {
      const Plan& plan = engine.program(phase.program).plan;
      pointers_.push_back(pointers(phase.inputs, plan.inputs));
      pointers_.push_back(pointers(phase.outputs, plan.outputs));
      const auto last = pointers_.end();
      spec.stages.push_back(runner.stage(phase.program, *(last - 2), *(last - 1)));
      for (const SequenceSpec::Copy& copy : runner.publication(phase.program)) spec.publish.push_back(copy);
    }
    for (std::string_view name : from) spec.inputs.push_back({slot(name).data, slot(name).desc.bytes()});
    for (std::string_view name : to) spec.outputs.push_back({slot(name).data, slot(name).desc.bytes()});
    return spec;
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
  std::deque<std::vector<std::byte*>> pointers_;  // of all phases; a deque keeps their addresses
  std::unique_ptr<Sequence> sequence_;
};

Session::Session(std::shared_ptr<const Engine> engine, const std::string& schedule)
    : engine_(std::move(engine)), schedule_(&find_schedule(engine_->package(), schedule)), runner_(engine_) {
  using Names = std::initializer_list<std::string_view>;
  const auto event = [this](const std::vector<Phase>& phases, Names from, Names to) {
    return phases.empty() ? nullptr : std::make_unique<Event>(*engine_, runner_, phases, from, to);
  };
  on_step_ = event(schedule_->on_step, {"action"}, {"frames"});
  if (schedule_->delay > 0) on_prime_ = event(remembering_phases(*engine_, schedule_->on_step), {"action"}, {});
  on_append_ = event(schedule_->on_append, {"latent", "action"}, {});
  on_encode_ = event(schedule_->on_encode, {"frames"}, {"latent"});
  on_decode_ = event(decoding_phase(*engine_, schedule_->on_step), {"latent"}, {"frames"});
  for (const Phase& phase : schedule_->on_step) times_.push_back({&phase.name, 0});
  milliseconds_.resize(times_.size());
  no_action_.resize(action_bytes());
}

Session::~Session() = default;

SessionCounters Session::counters() const {
  const std::lock_guard lock(mutex_);
  return counters_;
}

size_t Session::action_bytes() const { return on_step_->slot("action").desc.bytes(); }
size_t Session::frames_bytes() const { return on_step_->slot("frames").desc.bytes(); }
const std::byte* Session::frames_on_device() const { return on_step_->slot("frames").data; }
size_t Session::latent_bytes() const { return static_cast<size_t>(latent_shape().numel()) * sizeof(float); }
const Dims& Session::latent_shape() const {
  if (!on_append_)
    throw Error(ErrorKind::state, "schedule '" + schedule_->name + "' takes no latents: it has no on_append");
  return on_append_->slot("latent").desc.shape;
}

void Session::reset(std::span<const int64_t> seeds) {
  const std::lock_guard lock(mutex_);
  require_idle();
  runner_.reset(seeds);
  counters_ = {};
}

void Session::encode(std::span<const std::byte> frames, std::span<std::byte> latent) {
  const std::lock_guard lock(mutex_);
  require_idle();
  if (!on_encode_)
    throw Error(ErrorKind::unsupported, "package '" + engine_->package().name + "' has no encoder for schedule '" +
                                            schedule_->name + "': export it with one, or append latents");
  check_bytes("frames", frames.size(), frames_bytes());
  check_bytes("latent", latent.size(), latent_bytes());
  const auto workspace = engine_->lend_workspace();
  on_encode_->run({frames.data()}, {latent.data()}, {});
}

void Session::decode(std::span<const std::byte> latent, std::span<std::byte> frames) {
  const std::lock_guard lock(mutex_);
  require_idle();
  if (!on_decode_)
    throw Error(ErrorKind::unsupported, "schedule " + quote(schedule_->name) + " of package " +
                                            quote(engine_->package().name) +
                                            " has no phase that makes frames of one latent: step() alone shows them");
  check_bytes("latent", latent.size(), on_decode_->slot("latent").desc.bytes());
  check_bytes("frames", frames.size(), frames_bytes());
  const auto workspace = engine_->lend_workspace();
  on_decode_->run({latent.data()}, {frames.data()}, {});
}

void Session::append(std::span<const std::byte> latent, std::span<const std::byte> action) {
  const std::lock_guard lock(mutex_);
  require_idle();
  check_bytes("latent", latent.size(), latent_bytes());
  check_bytes("action", action.size(), action_bytes());
  const auto workspace = engine_->lend_workspace();
  on_append_->run({latent.data(), action.data()}, {}, {});
  ++counters_.appended;
}

void Session::prime() {
  const std::lock_guard lock(mutex_);
  require_idle();
  const auto workspace = engine_->lend_workspace();
  for (int i = 0; i < schedule_->delay; ++i) on_prime_->run({no_action_.data()}, {}, {});
  counters_.primed += schedule_->delay;
}

std::span<const PhaseTime> Session::step(std::span<const std::byte> action, std::span<std::byte> frames) {
  const std::lock_guard lock(mutex_);
  require_idle();
  check_bytes("action", action.size(), action_bytes());
  check_bytes("frames", frames.size(), frames_bytes());
  const auto workspace = engine_->lend_workspace();
  on_step_->run({action.data()}, {frames.data()}, milliseconds_);
  return count_step();
}

std::span<const PhaseTime> Session::count_step() {
  for (size_t i = 0; i < times_.size(); ++i) times_[i].milliseconds = milliseconds_[i];
  ++counters_.steps;
  return times_;
}

int Session::depth() const { return on_step_->depth(); }

void Session::submit(std::span<const std::byte> action) {
  const std::lock_guard lock(mutex_);
  check_bytes("action", action.size(), action_bytes());
  if (under_way_ == depth())
    throw Error(ErrorKind::state,
                "this session has as many steps under way as it can, " + std::to_string(depth()) + "; collect() one");
  const auto workspace = engine_->lend_workspace();
  on_step_->start({action.data()});
  ++under_way_;
}

std::span<const PhaseTime> Session::collect(std::span<std::byte> frames) {
  const std::lock_guard lock(mutex_);
  check_bytes("frames", frames.size(), frames_bytes());
  if (under_way_ == 0) throw Error(ErrorKind::state, "no step is under way; submit() one before collect()");
  --under_way_;
  on_step_->finish({frames.data()}, milliseconds_);
  return count_step();
}

void Session::require_idle() const {
  if (under_way_ > 0)
    throw Error(ErrorKind::state, std::to_string(under_way_) + " submitted steps are under way; collect() them first");
}

std::vector<std::byte> Session::snapshot() const {
  const std::lock_guard lock(mutex_);
  require_idle();
  return write_snapshot(runner_, schedule_->name, counters_);
}

void Session::restore(std::span<const std::byte> snapshot) {
  const std::lock_guard lock(mutex_);
  require_idle();
  counters_ = read_snapshot(snapshot, schedule_->name, runner_);
}

std::unique_ptr<Session> Session::fork() const {
  auto copy = std::make_unique<Session>(engine_, schedule_->name);
  const std::lock_guard lock(mutex_);
  require_idle();
  copy->runner_.copy_from(runner_);
  copy->counters_ = counters_;
  return copy;
}

}  // namespace yanrt
