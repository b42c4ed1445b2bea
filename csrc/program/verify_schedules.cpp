#include "program/verify_schedules.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/error.h"
#include "program/quote.h"

namespace yanrt {
namespace {

[[noreturn]] void fail(const std::string& where, const std::string& why) {
  throw Error(ErrorKind::package, where + ": " + why);
}

// A slot that somebody has filled.
struct Slot {
  DType dtype = DType::f32;
  Dims shape;
  bool read = false;
};

using Slots = std::map<std::string, Slot>;

std::string shown(DType dtype, const Dims& shape) { return std::string(name_of(dtype)) + shape.str(); }

// Runs the phases of one event in thought: which slots exist, which state is already updated.
class EventVerifier {
 public:
  EventVerifier(const Package& package, std::string where) : package_(package), where_(std::move(where)) {}

  // Slots that the caller fills. Of `latent` only the first phase that reads it knows the shape: it is the model's own.
  void given(const std::string& name, DType dtype, const Dims& shape) { slots_[name] = {dtype, shape}; }
  void given_by_first_use(const std::string& name) { open_.insert(name); }

  void run(const std::vector<Phase>& phases) {
    std::set<std::string> names;
    for (const Phase& phase : phases) {
      const std::string where = where_ + " phase " + quote(phase.name);
      if (!names.insert(phase.name).second) fail(where, "an earlier phase has this name");
      const auto it = package_.programs.find(phase.program);
      if (it == package_.programs.end()) fail(where, "the package has no program " + quote(phase.program));
      check_state(where, it->second);
      check_ports(where, "input", phase.inputs, it->second.inputs);
      check_ports(where, "output", phase.outputs, it->second.outputs);
      for (const SlotBinding& binding : phase.inputs)
        read(where, binding, port_value(it->second, it->second.inputs, binding));
      for (const SlotBinding& binding : phase.outputs)
        write(where, binding, port_value(it->second, it->second.outputs, binding));
    }
  }

  const Slot& must_read(const std::string& name) const {
    const auto it = slots_.find(name);
    if (it == slots_.end() || !it->second.read) fail(where_, "no phase reads the slot " + quote(name));
    return it->second;
  }
  const Slot& must_fill(const std::string& name) const {
    const auto it = slots_.find(name);
    if (it == slots_.end()) fail(where_, "no phase fills the slot " + quote(name));
    return it->second;
  }
  void expect(const std::string& name, const Slot& slot, DType dtype, const Dims& shape) const {
    if (slot.dtype != dtype || slot.shape != shape)
      fail(where_,
           "the slot " + quote(name) + " is " + shown(slot.dtype, slot.shape) + "; it must be " + shown(dtype, shape));
  }

 private:
  // What one call publishes must not be read within the call: a failure half-way could not be undone.
  void check_state(const std::string& where, const Program& program) {
    for (const Value& value : program.values)
      if (value.source == ValueSource::state && updated_.contains(value.name))
        fail(where, "reads the state " + quote(value.name) + ", which an earlier phase of the event updates");
    for (const NamedValue& update : program.updates)
      if (!updated_.insert(update.name).second)
        fail(where, "updates the state " + quote(update.name) + ", as an earlier phase of the event does");
  }

  // Every port is bound exactly once. Bindings come from a JSON object, so no port is bound twice.
  static void check_ports(const std::string& where, const char* what, const std::vector<SlotBinding>& bindings,
                          const std::vector<NamedValue>& ports) {
    for (const NamedValue& port : ports)
      if (std::none_of(bindings.begin(), bindings.end(), [&](const auto& b) { return b.port == port.name; }))
        fail(where, std::string(what) + " " + quote(port.name) + " of the program is bound to no slot");
    for (const SlotBinding& binding : bindings)
      if (std::none_of(ports.begin(), ports.end(), [&](const auto& p) { return p.name == binding.port; }))
        fail(where, "the program has no " + std::string(what) + " " + quote(binding.port));
  }

  static const Value& port_value(const Program& program, const std::vector<NamedValue>& ports,
                                 const SlotBinding& binding) {
    const auto it = std::find_if(ports.begin(), ports.end(), [&](const auto& p) { return p.name == binding.port; });
    return program.values[static_cast<size_t>(it->value)];
  }

  void read(const std::string& where, const SlotBinding& binding, const Value& value) {
    if (open_.erase(binding.slot)) slots_[binding.slot] = {value.dtype, value.shape};
    const auto it = slots_.find(binding.slot);
    if (it == slots_.end()) fail(where, "reads the slot " + quote(binding.slot) + ", which nobody has filled yet");
    if (it->second.dtype != value.dtype || it->second.shape != value.shape)
      fail(where, "input " + quote(binding.port) + " is " + shown(value.dtype, value.shape) + ", the slot " +
                      quote(binding.slot) + " is " + shown(it->second.dtype, it->second.shape));
    it->second.read = true;
  }

  void write(const std::string& where, const SlotBinding& binding, const Value& value) {
    const bool is_new =
        !open_.contains(binding.slot) && slots_.try_emplace(binding.slot, Slot{value.dtype, value.shape}).second;
    if (!is_new) fail(where, "fills the slot " + quote(binding.slot) + ", which is already filled");
  }

  const Package& package_;
  std::string where_;
  Slots slots_;
  std::set<std::string> open_;
  std::set<std::string> updated_;
};

// f32 [batch, h, w, c]
void check_latent(const std::string& where, const Package& package, const Slot& latent) {
  if (latent.dtype != DType::f32 || latent.shape.rank() != 4 || latent.shape[0] != package.batch)
    fail(where, "the slot 'latent' is " + shown(latent.dtype, latent.shape) + "; it must be f32 [" +
                    std::to_string(package.batch) + ", h, w, c]");
}

// The shape of the latents that on_append takes; rank 0 if there is no on_append.
Dims verify_schedule(const Package& package, const Schedule& schedule) {
  const std::string where = "schedule " + quote(schedule.name);
  const int64_t batch = package.batch, frames = package.temporal_factor;
  const Dims action{batch, frames, static_cast<int64_t>(package.buttons.size())};
  const Dims picture{batch, frames, package.height, package.width, 3};

  EventVerifier step(package, where + " on_step");
  step.given("action", DType::f32, action);
  step.run(schedule.on_step);
  step.must_read("action");
  step.expect("frames", step.must_fill("frames"), DType::u8, picture);

  Dims latent;
  if (!schedule.on_append.empty()) {
    EventVerifier append(package, where + " on_append");
    append.given("action", DType::f32, action);
    append.given_by_first_use("latent");
    append.run(schedule.on_append);
    append.must_read("action");
    check_latent(where + " on_append", package, append.must_read("latent"));
    latent = append.must_read("latent").shape;
  }
  if (!schedule.on_encode.empty()) {
    if (schedule.on_append.empty()) fail(where, "has on_encode, but no on_append to take what it encodes");
    EventVerifier encode(package, where + " on_encode");
    encode.given("frames", DType::u8, picture);
    encode.run(schedule.on_encode);
    encode.must_read("frames");
    encode.expect("latent", encode.must_fill("latent"), DType::f32, latent);
  }
  return latent;
}

const StoredTensor& start_tensor(const Package& package, const std::string& what, const std::string& name) {
  const auto it = package.tensors.find(name);
  if (it == package.tensors.end()) fail("start " + what, "the file has no tensor " + quote(name));
  if (it->second.dtype != DType::f32)
    fail("start " + what, quote(name) + " is " + shown(it->second.dtype, it->second.shape) + "; it must be f32");
  return it->second;
}

// Latents [S, N, h, w, c], actions [S, N, T, buttons].
void verify_start(const Package& package) {
  const Dims latents = start_tensor(package, "latents", package.start_latents).shape;
  const Dims actions = start_tensor(package, "actions", package.start_actions).shape;
  if (latents.rank() != 5) fail("start latents", "are " + latents.str() + "; must be [S, N, h, w, c]");
  const Dims held{latents[0], latents[1], package.temporal_factor, static_cast<int64_t>(package.buttons.size())};
  if (actions != held) fail("start actions", "are " + actions.str() + "; must be " + held.str());
}

// `latent`, [batch, h, w, c], is what on_append of the schedule takes; rank 0 if there is none.
void verify_start_fits(const Package& package, const std::string& schedule, const Dims& latent) {
  const Dims& start = package.tensors.at(package.start_latents).shape;
  if (latent.rank() == 0) fail("start", "schedule " + quote(schedule) + " has no on_append to take the latents");
  const Dims wanted{start[0], start[1], latent[1], latent[2], latent[3]};
  if (start != wanted)
    fail("start latents", "are " + start.str() + ", but schedule " + quote(schedule) + " takes " + wanted.str());
}

}  // namespace

void verify_schedules(const Package& package) {
  const bool has_start = !package.start_latents.empty() || !package.start_actions.empty();
  if (has_start) verify_start(package);
  for (const auto& [name, schedule] : package.schedules) {
    const Dims latent = verify_schedule(package, schedule);
    if (has_start) verify_start_fits(package, name, latent);
  }
}

}  // namespace yanrt
