#include "runtime/runner.h"

#include "core/bf16.h"
#include "core/error.h"
#include "program/stored_tensor.h"
#include "runtime/quoted_keys.h"

namespace yanrt {
namespace {

void check_size(const std::string& name, const StateLayout::Entry& entry, size_t given) {
  const size_t wanted = static_cast<size_t>(entry.def->shape.numel()) * size_of(entry.def->dtype);
  if (given != wanted)
    throw Error(ErrorKind::argument, "state '" + name + "' is " + std::string(name_of(entry.def->dtype)) + " " +
                                         entry.def->shape.str() + ", " + std::to_string(wanted) + " bytes; got " +
                                         std::to_string(given));
}

}  // namespace

bool touches_state(const Plan& plan) {
  for (const PlannedOp& op : plan.ops)
    for (const auto* operands : {&op.inputs, &op.outputs})
      for (const Operand& operand : *operands)
        if (operand.arena == Arena::state || operand.arena == Arena::pending) return true;
  return false;
}

Runner::Runner(std::shared_ptr<const Engine> engine)
    : engine_(std::move(engine)),
      state_(engine_->allocate(engine_->states().state_bytes)),
      pending_(engine_->allocate(engine_->states().pending_bytes)) {
  reset({});
}

void Runner::reset(std::span<const int64_t> seeds) {
  state_->clear();
  for (const auto& [name, entry] : engine_->states().entries) {
    if (!entry.def->init.empty()) {
      std::vector<std::byte> initial(static_cast<size_t>(entry.def->shape.numel()) * size_of(entry.def->dtype));
      read_tensor(engine_->package(), engine_->package().tensors.at(entry.def->init), initial.data());
      write_state(name, initial);
    } else if (entry.def->is_seed && !seeds.empty()) {
      if (seeds.size_bytes() != entry.bytes)
        throw Error(ErrorKind::argument, "reset needs one seed for each of " +
                                             std::to_string(entry.def->shape.numel()) + " batch entries; got " +
                                             std::to_string(seeds.size()));
      state_->write(entry.offset, std::as_bytes(seeds));
    }
  }
}

SequenceSpec::Stage Runner::stage(const std::string& program, std::span<std::byte* const> inputs,
                                  std::span<std::byte* const> outputs) const {
  const Engine::Compiled& compiled = engine_->program(program);
  return {.executable = compiled.executable.get(),
          .bindings = {.workspace = engine_->workspace(),
                       .state = state_->data(),
                       .pending = pending_->data(),
                       .inputs = inputs,
                       .outputs = outputs},
          .pure = !touches_state(compiled.plan)};
}

std::vector<SequenceSpec::Copy> Runner::publication(const std::string& program) const {
  std::vector<SequenceSpec::Copy> copies;
  for (const StateUpdate& update : engine_->program(program).plan.updates)
    copies.push_back({state_->data() + update.state, pending_->data() + update.pending, update.bytes});
  return copies;
}

const Runner::Recorded& Runner::recorded(const std::string& program) {
  Recorded& entry = recorded_[program];
  if (entry.sequence) return entry;
  const Plan& plan = engine_->program(program).plan;
  size_t bytes = 0;
  for (const auto* ports : {&plan.inputs, &plan.outputs})
    for (const PlannedPort& port : *ports) bytes += align_up(port.desc.bytes());
  entry.ports = engine_->allocate(bytes);
  SequenceSpec spec;
  spec.publish = publication(program);
  std::byte* at = entry.ports->data();
  std::vector<std::byte*> inputs, outputs;
  const auto place = [&at](const std::vector<PlannedPort>& ports, std::vector<std::byte*>& pointers,
                           std::vector<SequenceSpec::Port>& arrays) {
    for (const PlannedPort& port : ports) {
      pointers.push_back(at);
      arrays.push_back({at, port.desc.bytes()});
      at += align_up(port.desc.bytes());
    }
  };
  place(plan.inputs, inputs, spec.inputs);
  place(plan.outputs, outputs, spec.outputs);
  spec.stages.push_back(stage(program, inputs, outputs));
  entry.sequence = engine_->record(spec);
  return entry;
}

void Runner::run(const std::string& program, std::span<const std::byte* const> inputs,
                 std::span<std::byte* const> outputs) {
  const Recorded& entry = recorded(program);
  const auto lock = engine_->lend_workspace();
  entry.sequence->start(inputs);
  entry.sequence->finish(outputs, {});
}

const StateLayout::Entry& Runner::state(const std::string& name) const {
  const auto& entries = engine_->states().entries;
  const auto it = entries.find(name);
  if (it != entries.end()) return it->second;
  throw Error(ErrorKind::argument, "no state " + quote(name) + "; there is " + quoted_keys(entries));
}

void Runner::read_state(const std::string& name, std::span<std::byte> out) const {
  const StateLayout::Entry& entry = state(name);
  check_size(name, entry, out.size());
  if (entry.stored == entry.def->dtype) {
    state_->read(entry.offset, out);
    return;
  }
  auto* to = reinterpret_cast<float*>(out.data());
  const auto widen = [&]<class T>(std::vector<T> from, float (*widened)(T)) {
    state_->read(entry.offset, std::as_writable_bytes(std::span(from)));
    for (size_t i = 0; i < from.size(); ++i) to[i] = widened(from[i]);
  };
  if (entry.stored == DType::f8e4m3)
    widen(std::vector<uint8_t>(entry.bytes), f8e4m3_to_f32);
  else
    widen(std::vector<uint16_t>(entry.bytes / sizeof(uint16_t)), bf16_to_f32);
}

void Runner::write_state(const std::string& name, std::span<const std::byte> in) {
  const StateLayout::Entry& entry = state(name);
  check_size(name, entry, in.size());
  if (entry.stored == entry.def->dtype) {
    state_->write(entry.offset, in);
    return;
  }
  const auto* from = reinterpret_cast<const float*>(in.data());
  const auto narrow = [&]<class T>(std::vector<T> to, T (*narrowed)(float)) {
    for (size_t i = 0; i < to.size(); ++i) to[i] = narrowed(from[i]);
    state_->write(entry.offset, std::as_bytes(std::span(to)));
  };
  if (entry.stored == DType::f8e4m3)
    narrow(std::vector<uint8_t>(entry.bytes), f32_to_f8e4m3);
  else
    narrow(std::vector<uint16_t>(entry.bytes / sizeof(uint16_t)), f32_to_bf16);
}

}  // namespace yanrt
