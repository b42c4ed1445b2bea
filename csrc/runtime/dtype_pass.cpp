#include "runtime/dtype_pass.h"

namespace yanrt {
namespace {

// For each value: does everybody who reads it, through views, take the compute type? Walks backwards, so that a view's
// readers are known before the view's own input is judged.
std::vector<bool> read_as_compute(const Program& program) {
  std::vector<bool> narrow(program.values.size(), true);
  std::vector<bool> read(program.values.size(), false);
  for (const auto* list : {&program.outputs, &program.updates})
    for (const NamedValue& v : *list) narrow[v.value] = false;
  for (auto op = program.ops.rbegin(); op != program.ops.rend(); ++op) {
    for (size_t i = 0; i < op->inputs.size(); ++i) {
      const int value = op->inputs[i];
      if (value < 0) continue;
      read[value] = true;
      const Role role = op->def->input(i).role;
      const bool ok = op->def->is_view() ? narrow[op->outputs[0]] && read[op->outputs[0]]
                                         : role == Role::compute || role == Role::ring;
      if (!ok) narrow[value] = false;
    }
  }
  for (size_t v = 0; v < narrow.size(); ++v)
    if (!read[v]) narrow[v] = false;
  return narrow;
}

}  // namespace

std::map<std::string, DType> choose_state_dtypes(const Package& package, DType compute) {
  std::map<std::string, DType> chosen;
  for (const auto& [name, def] : package.states) chosen[name] = def.kind == StateKind::compute ? compute : def.dtype;
  for (const auto& [name, program] : package.programs) {
    const std::vector<bool> narrow = read_as_compute(program);
    for (size_t v = 0; v < program.values.size(); ++v) {
      const Value& value = program.values[v];
      if (value.source == ValueSource::state && !narrow[v]) chosen[value.name] = package.states.at(value.name).dtype;
    }
    for (const NamedValue& update : program.updates) chosen[update.name] = package.states.at(update.name).dtype;
  }
  return chosen;
}

std::vector<DType> choose_value_dtypes(const Program& program, const std::map<std::string, DType>& states,
                                       DType compute) {
  std::vector<DType> dtypes;
  for (const Value& value : program.values)
    dtypes.push_back(value.source == ValueSource::state ? states.at(value.name) : value.dtype);
  const std::vector<bool> narrow = read_as_compute(program);
  for (const OpNode& op : program.ops) {
    for (size_t i = 0; i < op.outputs.size(); ++i) {
      const int value = op.outputs[i];
      if (op.def->is_view())
        dtypes[value] = dtypes[op.inputs[0]];
      else if (program.values[value].dtype == DType::f32 && op.def->outputs[i].role == Role::compute && narrow[value])
        dtypes[value] = compute;
    }
  }
  return dtypes;
}

}  // namespace yanrt
