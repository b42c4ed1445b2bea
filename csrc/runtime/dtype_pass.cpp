#include "runtime/dtype_pass.h"

#include <algorithm>

namespace yanrt {
namespace {

// How far a value may be narrowed: what every reader takes.
enum class Narrowing : uint8_t { none, compute, quantised };

Narrowing taken_by(Role role) {
  switch (role) {
    case Role::quantised: return Narrowing::quantised;
    case Role::compute:
    case Role::ring: return Narrowing::compute;
    case Role::exact:
    case Role::weight: return Narrowing::none;
  }
  return Narrowing::none;
}

// The rows of a quantised value carry their scales; only a reshape that leaves the rows alone keeps them whole.
bool keeps_rows(const OpNode& view, const Program& program) {
  const Dims &x = program.values[view.inputs[0]].shape, &y = program.values[view.outputs[0]].shape;
  return view.def->name == "reshape" && x.rank() > 0 && y.rank() > 0 && x[-1] == y[-1];
}

// For each value: how far do all who read it, through views, let it be narrowed? Walks backwards, so that a view's
// readers are known before the view's own input is judged.
std::vector<Narrowing> allowed_narrowing(const Program& program) {
  std::vector<Narrowing> allowed(program.values.size(), Narrowing::quantised);
  std::vector<bool> read(program.values.size(), false);
  for (const auto* list : {&program.outputs, &program.updates})
    for (const NamedValue& v : *list) allowed[v.value] = Narrowing::none;
  for (auto op = program.ops.rbegin(); op != program.ops.rend(); ++op) {
    for (size_t i = 0; i < op->inputs.size(); ++i) {
      const int value = op->inputs[i];
      if (value < 0) continue;
      read[value] = true;
      Narrowing taken = taken_by(op->def->input(i).role);
      if (op->def->is_view()) {
        taken = read[op->outputs[0]] ? allowed[op->outputs[0]] : Narrowing::none;
        if (!keeps_rows(*op, program)) taken = std::min(taken, Narrowing::compute);
      }
      allowed[value] = std::min(allowed[value], taken);
    }
  }
  for (size_t v = 0; v < allowed.size(); ++v)
    if (!read[v]) allowed[v] = Narrowing::none;
  return allowed;
}

}  // namespace

std::map<std::string, DType> choose_state_dtypes(const Package& package, Precision precision) {
  const DType compute = compute_type(precision);
  std::map<std::string, DType> chosen;
  for (const auto& [name, def] : package.states) chosen[name] = def.kind == StateKind::compute ? compute : def.dtype;
  for (const auto& [name, program] : package.programs) {
    const std::vector<Narrowing> allowed = allowed_narrowing(program);
    for (size_t v = 0; v < program.values.size(); ++v) {
      const Value& value = program.values[v];
      if (value.source == ValueSource::state && allowed[v] == Narrowing::none)
        chosen[value.name] = package.states.at(value.name).dtype;
    }
    for (const NamedValue& update : program.updates) chosen[update.name] = package.states.at(update.name).dtype;
  }
  return chosen;
}

std::vector<DType> choose_value_dtypes(const Program& program, const std::map<std::string, DType>& states,
                                       Precision precision) {
  std::vector<DType> dtypes;
  for (const Value& value : program.values)
    dtypes.push_back(value.source == ValueSource::state ? states.at(value.name) : value.dtype);
  const std::vector<Narrowing> allowed = allowed_narrowing(program);
  for (const OpNode& op : program.ops) {
    for (size_t i = 0; i < op.outputs.size(); ++i) {
      const int value = op.outputs[i];
      const Narrowing narrowing = std::min(allowed[value], taken_by(op.def->outputs[i].role));
      if (op.def->is_view())
        dtypes[value] = dtypes[op.inputs[0]];
      else if (program.values[value].dtype != DType::f32 || narrowing == Narrowing::none)
        continue;
      else if (precision == Precision::int8 && narrowing == Narrowing::quantised)
        dtypes[value] = DType::i8;
      else
        dtypes[value] = compute_type(precision);
    }
  }
  return dtypes;
}

}  // namespace yanrt
