#include "runtime/dtype_pass.h"

#include <algorithm>

#include "core/error.h"
#include "program/quote.h"

namespace yanrt {
namespace {

// How far a value may be narrowed: what every reader takes.
enum class Narrowing : uint8_t { none, compute, quantised };

struct Allowed {
  Narrowing narrowing = Narrowing::quantised;
  float peak = kAnyPeak;  // of quantised rows

  static constexpr float kAnyPeak = -1;  // nobody has read it yet

  // As another reader takes it. Readers that scale their rows differently must quantise them themselves.
  void limit(const Allowed& taken) {
    narrowing = std::min(narrowing, taken.narrowing);
    if (narrowing != Narrowing::quantised) return;
    if (peak == kAnyPeak)
      peak = taken.peak;
    else if (taken.peak != peak)
      narrowing = Narrowing::compute;
  }
};

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

// The calibrated peak of what an op quantises: its weight's. 0: none.
float peak_of(const OpNode& op, const Program& program, const Package& package) {
  for (size_t i = 0; i < op.inputs.size(); ++i)
    if (op.inputs[i] >= 0 && op.def->input(i).role == Role::weight)
      return package.tensors.at(program.values[op.inputs[i]].name).input_peak;
  return 0;
}

// For each value: how far do all who read it, through views, let it be narrowed? Walks backwards, so that a view's
// readers are known before the view's own input is judged.
std::vector<Allowed> allowed_narrowing(const Package& package, const Program& program) {
  std::vector<Allowed> allowed(program.values.size());
  std::vector<bool> read(program.values.size(), false);
  for (const auto* list : {&program.outputs, &program.updates})
    for (const NamedValue& v : *list) allowed[v.value].narrowing = Narrowing::none;
  for (auto op = program.ops.rbegin(); op != program.ops.rend(); ++op) {
    for (size_t i = 0; i < op->inputs.size(); ++i) {
      const int value = op->inputs[i];
      if (value < 0) continue;
      read[value] = true;
      Allowed taken{taken_by(op->def->input(i).role), peak_of(*op, program, package)};
      if (op->def->is_view()) {
        taken = allowed[op->outputs[0]];
        if (!read[op->outputs[0]]) taken.narrowing = Narrowing::none;
        if (!keeps_rows(*op, program)) taken.narrowing = std::min(taken.narrowing, Narrowing::compute);
      }
      allowed[value].limit(taken);
    }
  }
  for (size_t v = 0; v < allowed.size(); ++v)
    if (!read[v]) allowed[v].narrowing = Narrowing::none;
  return allowed;
}

// Is a state read as a ring wherever it is read, and somewhere?
bool is_ring(const Package& package, const std::string& state) {
  bool found = false;
  for (const auto& [name, program] : package.programs)
    for (const OpNode& op : program.ops)
      for (size_t i = 0; i < op.inputs.size(); ++i) {
        if (op.inputs[i] < 0) continue;
        const Value& value = program.values[op.inputs[i]];
        if (value.source != ValueSource::state || value.name != state) continue;
        if (op.def->input(i).role != Role::ring) return false;
        found = true;
      }
  return found;
}

void store_rings_in_e4m3(const Package& package, Precision precision, std::map<std::string, DType>& chosen) {
  if (precision == Precision::fp32)
    throw Error(ErrorKind::argument,
                "kv 'fp8' would round what precision 'fp32' keeps; use precision bf16, fp8 or int8, or kv 'auto'");
  bool found = false;
  for (auto& [name, dtype] : chosen)
    if (dtype == DType::bf16 && is_ring(package, name)) {
      dtype = DType::f8e4m3;
      found = true;
    }
  if (!found)
    throw Error(ErrorKind::unsupported,
                "package " + quote(package.name) + " has no K/V ring that could be kept in fp8; use kv 'auto'");
}

}  // namespace

std::map<std::string, DType> choose_state_dtypes(const Package& package, Precision precision, KvType kv) {
  const DType compute = compute_type(precision);
  std::map<std::string, DType> chosen;
  for (const auto& [name, def] : package.states) chosen[name] = def.kind == StateKind::compute ? compute : def.dtype;
  for (const auto& [name, program] : package.programs) {
    const std::vector<Allowed> allowed = allowed_narrowing(package, program);
    for (size_t v = 0; v < program.values.size(); ++v) {
      const Value& value = program.values[v];
      if (value.source == ValueSource::state && allowed[v].narrowing == Narrowing::none)
        chosen[value.name] = package.states.at(value.name).dtype;
    }
    for (const NamedValue& update : program.updates) chosen[update.name] = package.states.at(update.name).dtype;
  }
  if (kv == KvType::fp8) store_rings_in_e4m3(package, precision, chosen);
  return chosen;
}

std::vector<ValueType> choose_value_types(const Package& package, const Program& program,
                                          const std::map<std::string, DType>& states, Precision precision) {
  std::vector<ValueType> types;
  for (const Value& value : program.values)
    types.push_back({value.source == ValueSource::state ? states.at(value.name) : value.dtype});
  const std::vector<Allowed> allowed = allowed_narrowing(package, program);
  for (const OpNode& op : program.ops) {
    for (size_t i = 0; i < op.outputs.size(); ++i) {
      const int value = op.outputs[i];
      const Narrowing narrowing = std::min(allowed[value].narrowing, taken_by(op.def->outputs[i].role));
      if (op.def->is_view())
        types[value] = types[op.inputs[0]];
      else if (program.values[value].dtype != DType::f32 || narrowing == Narrowing::none)
        continue;
      else if (precision == Precision::int8 && narrowing == Narrowing::quantised)
        types[value] = {DType::i8, allowed[value].peak};
      else
        types[value] = {compute_type(precision)};
    }
  }
  return types;
}

}  // namespace yanrt
