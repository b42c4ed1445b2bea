#include "runtime/runner.h"

#include <cstring>

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

Runner::Runner(std::shared_ptr<const Engine> engine)
    : engine_(std::move(engine)),
      state_(engine_->allocate(engine_->states().state_bytes)),
      pending_(engine_->allocate(engine_->states().pending_bytes)) {
  reset({});
}

void Runner::reset(std::span<const int64_t> seeds) {
  std::memset(state_->data(), 0, state_->size());
  for (const auto& [name, entry] : engine_->states().entries) {
    std::byte* data = state_->data() + entry.offset;
    if (!entry.def->init.empty()) {
      std::vector<std::byte> initial(static_cast<size_t>(entry.def->shape.numel()) * size_of(entry.def->dtype));
      read_tensor(engine_->package(), engine_->package().tensors.at(entry.def->init), initial.data());
      write_state(name, initial);
    } else if (entry.def->is_seed && !seeds.empty()) {
      if (seeds.size_bytes() != entry.bytes)
        throw Error(ErrorKind::argument, "reset needs one seed for each of " +
                                             std::to_string(entry.def->shape.numel()) + " batch entries; got " +
                                             std::to_string(seeds.size()));
      std::memcpy(data, seeds.data(), entry.bytes);
    }
  }
}

std::unique_ptr<BoundProgram> Runner::bind(const std::string& program, std::span<std::byte* const> inputs,
                                           std::span<std::byte* const> outputs) const {
  return engine_->program(program).executable->bind({.workspace = engine_->workspace(),
                                                     .state = state_->data(),
                                                     .pending = pending_->data(),
                                                     .inputs = inputs,
                                                     .outputs = outputs});
}

void Runner::publish(const Plan& plan) {
  for (const StateUpdate& update : plan.updates)
    std::memcpy(state_->data() + update.state, pending_->data() + update.pending, update.bytes);
}

void Runner::run(const std::string& program, std::span<const std::byte* const> inputs,
                 std::span<std::byte* const> outputs) {
  std::vector<std::byte*> in;
  for (const std::byte* pointer : inputs) in.push_back(const_cast<std::byte*>(pointer));  // kernels only read inputs
  const auto bound = bind(program, in, outputs);
  const auto lock = engine_->lend_workspace();
  bound->run();
  publish(engine_->program(program).plan);
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
  const std::byte* data = state_->data() + entry.offset;
  if (entry.stored == entry.def->dtype) {
    std::memcpy(out.data(), data, entry.bytes);
    return;
  }
  const auto* from = reinterpret_cast<const uint16_t*>(data);
  auto* to = reinterpret_cast<float*>(out.data());
  for (int64_t i = 0; i < entry.def->shape.numel(); ++i) to[i] = bf16_to_f32(from[i]);
}

void Runner::write_state(const std::string& name, std::span<const std::byte> in) {
  const StateLayout::Entry& entry = state(name);
  check_size(name, entry, in.size());
  std::byte* data = state_->data() + entry.offset;
  if (entry.stored == entry.def->dtype) {
    std::memcpy(data, in.data(), entry.bytes);
    return;
  }
  const auto* from = reinterpret_cast<const float*>(in.data());
  auto* to = reinterpret_cast<uint16_t*>(data);
  for (int64_t i = 0; i < entry.def->shape.numel(); ++i) to[i] = f32_to_bf16(from[i]);
}

}  // namespace yanrt
