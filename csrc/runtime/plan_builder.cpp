#include "runtime/plan_builder.h"

#include <algorithm>
#include <cassert>

#include "core/error.h"
#include "runtime/dtype_pass.h"
#include "runtime/view.h"

namespace yanrt {
namespace {

class PlanBuilder {
 public:
  PlanBuilder(const Package& package, const Program& program, const StateLayout& states, Precision precision)
      : package_(package), program_(program), states_(states) {
    std::map<std::string, DType> stored;
    for (const auto& [name, entry] : states.entries) stored[name] = entry.stored;
    types_ = choose_value_types(package, program, stored, precision);
    operands_.resize(program.values.size());
    dense_copy_.resize(program.values.size());
    plan_.program = &program;
  }

  Plan build() {
    place_sources();
    choose_destinations();
    for (const OpNode& op : program_.ops) op.def->is_view() ? add_view(op) : add_kernel(op);
    finish_outputs();
    finish_updates();
    return std::move(plan_);
  }

 private:
  // Values that exist before the first op runs.
  void place_sources() {
    for (size_t v = 0; v < program_.values.size(); ++v) {
      const Value& value = program_.values[v];
      Operand& operand = operands_[v];
      operand.desc = TensorDesc::of(types_[v].dtype, value.shape);
      operand.desc.peak = types_[v].peak;
      if (value.source == ValueSource::tensor) {
        operand.arena = Arena::constant;
        operand.tensor = &package_.tensors.at(value.name);
      } else if (value.source == ValueSource::state) {
        operand.arena = Arena::state;
        operand.offset = states_.entries.at(value.name).offset;
      }
    }
    for (size_t i = 0; i < program_.inputs.size(); ++i) {
      Operand& operand = operands_[program_.inputs[i].value];
      operand.arena = Arena::input;
      operand.index = static_cast<int>(i);
      plan_.inputs.push_back({program_.inputs[i].name, operand.desc});
    }
  }

  // A kernel writes a program output, or the pending value of a state, where it will be wanted, also if that is a
  // reshape of what it makes: no copy afterwards.
  void choose_destinations() {
    std::vector<const OpNode*> maker(program_.values.size(), nullptr);
    for (const OpNode& op : program_.ops)
      for (int value : op.outputs) maker[value] = &op;
    // The operand, not yet placed, of the value that a kernel makes and `value` is; or null.
    const auto unplaced = [&](int value) -> Operand* {
      while (maker[value] && maker[value]->def->name == "reshape") value = maker[value]->inputs[0];
      const bool made_by_kernel = maker[value] && !maker[value]->def->is_view();
      return made_by_kernel && operands_[value].arena == Arena::absent ? &operands_[value] : nullptr;
    };
    for (size_t i = 0; i < program_.outputs.size(); ++i) {
      const int value = program_.outputs[i].value;
      const DType dtype = operands_[value].desc.dtype;
      plan_.outputs.push_back({program_.outputs[i].name, TensorDesc::dense(dtype, program_.values[value].shape)});
      if (Operand* operand = unplaced(value))
        *operand = {.arena = Arena::output, .index = static_cast<int>(i), .desc = operand->desc};
    }
    for (const NamedValue& update : program_.updates)
      if (Operand* operand = unplaced(update.value))
        *operand = {.arena = Arena::pending, .offset = states_.entries.at(update.name).pending, .desc = operand->desc};
  }

  void add_view(const OpNode& op) {
    const int source = op.inputs[0], result = op.outputs[0];
    std::optional<View> view = apply_view(op, operands_[source].desc, program_.values[result].shape);
    Operand base = operands_[source];
    if (!view) {
      base = dense(source);
      view = apply_view(op, base.desc, program_.values[result].shape);
      assert(view);
    }
    base.offset += static_cast<size_t>(view->offset) * size_of(base.desc.dtype);
    base.desc = view->desc;
    operands_[result] = base;
  }

  void add_kernel(const OpNode& op) {
    PlannedOp planned{.node = &op, .inputs = {}, .outputs = {}, .store = {}};
    for (size_t i = 0; i < op.inputs.size(); ++i)
      planned.inputs.push_back(op.inputs[i] < 0 ? Operand{} : readable(op.inputs[i], op.def->input(i).layout));
    for (int value : op.outputs) {
      Operand& operand = operands_[value];
      if (operand.arena == Arena::absent) operand = temporary(operand.desc);
      planned.outputs.push_back(operand);
    }
    plan_.ops.push_back(std::move(planned));
  }

  // The operand as it is if a kernel that asks for `layout` can read it, else a dense copy of it.
  const Operand& readable(int value, Layout layout) {
    const TensorDesc& desc = operands_[value].desc;
    int64_t row_stride = 0;
    const bool ok = layout == Layout::strided || (layout == Layout::dense && desc.is_dense()) ||
                    (layout == Layout::inner && desc.inner_dense()) ||
                    (layout == Layout::rows && desc.as_rows(&row_stride));
    return ok ? operands_[value] : dense(value);
  }

  // A dense copy of a value, made once.
  const Operand& dense(int value) {
    Operand& copy = dense_copy_[value];
    if (copy.arena == Arena::absent) {
      copy = temporary(TensorDesc::dense(operands_[value].desc.dtype, operands_[value].desc.shape));
      add_copy(operands_[value], copy);
    }
    return copy;
  }

  void add_copy(const Operand& from, const Operand& to) {
    plan_.inserted.push_back({.def = find_op("copy"), .inputs = {}, .outputs = {}, .attrs = {}, .source = "plan"});
    plan_.ops.push_back({.node = &plan_.inserted.back(), .inputs = {from}, .outputs = {to}, .store = {}});
  }

  Operand temporary(const TensorDesc& desc) {
    plan_.buffers.push_back({.bytes = align_up(desc.bytes())});
    return {.arena = Arena::workspace, .index = static_cast<int>(plan_.buffers.size()) - 1, .desc = desc};
  }

  // Outputs that no kernel wrote in place: views, sources, and values that are wanted twice.
  void finish_outputs() {
    for (size_t i = 0; i < program_.outputs.size(); ++i) {
      const Operand& value = operands_[program_.outputs[i].value];
      if (value.arena == Arena::output && value.index == static_cast<int>(i) && value.desc.is_dense() &&
          value.offset == 0 && value.desc.bytes() == plan_.outputs[i].desc.bytes())
        continue;
      add_copy(value, {.arena = Arena::output, .index = static_cast<int>(i), .desc = plan_.outputs[i].desc});
    }
  }

  void finish_updates() {
    for (const NamedValue& update : program_.updates) {
      const StateLayout::Entry& entry = states_.entries.at(update.name);
      plan_.updates.push_back({entry.pending, entry.offset, entry.bytes});
      const Operand& value = operands_[update.value];
      if (value.arena == Arena::pending && value.offset == entry.pending && value.desc.is_dense()) continue;
      add_copy(value, {.arena = Arena::pending,
                       .offset = entry.pending,
                       .desc = TensorDesc::dense(entry.stored, entry.def->shape)});
    }
  }

  const Package& package_;
  const Program& program_;
  const StateLayout& states_;
  std::vector<ValueType> types_;
  std::vector<Operand> operands_;    // where each value is, once it exists
  std::vector<Operand> dense_copy_;  // of values whose strides some kernel could not read
  Plan plan_;
};

}  // namespace

StateLayout lay_out_states(const Package& package, Precision precision, KvType kv) {
  StateLayout layout;
  for (const auto& [name, dtype] : choose_state_dtypes(package, precision, kv)) {
    const StateDef& def = package.states.at(name);
    const size_t bytes = static_cast<size_t>(def.shape.numel()) * size_of(dtype);
    layout.entries[name] = {&def, dtype, layout.state_bytes, 0, bytes};
    layout.state_bytes += align_up(bytes);
  }
  for (const auto& [name, program] : package.programs)
    for (const NamedValue& update : program.updates) {
      StateLayout::Entry& entry = layout.entries.at(update.name);
      if (entry.pending != 0) continue;  // offsets start at kAlignment, so that 0 means none
      entry.pending = layout.pending_bytes + kAlignment;
      layout.pending_bytes += align_up(entry.bytes);
    }
  layout.pending_bytes += layout.pending_bytes ? kAlignment : 0;
  return layout;
}

Plan build_plan(const Package& package, const Program& program, const StateLayout& states, Precision precision) {
  return PlanBuilder(package, program, states, precision).build();
}

}  // namespace yanrt
