#include "program/verifier.h"

#include <algorithm>
#include <set>

#include "core/error.h"
#include "program/quote.h"
#include "program/shape_rules.h"
#include "program/verify_schedules.h"

namespace yanrt {
namespace {

constexpr size_t kMaxProgramBytes = size_t{1} << 40;  // all values that ever exist, views counted: memory is reused
constexpr size_t kMaxStateBytes = size_t{64} << 30;
constexpr size_t kMaxVariadic = 256;

[[noreturn]] void fail(const std::string& why) { throw Error(ErrorKind::package, why); }

std::string shown(DType dtype, const Dims& shape) { return std::string(name_of(dtype)) + shape.str(); }

// `where`, for the Error that `check` throws.
template <class Check>
void at(const std::string& where, const Check& check) {
  try {
    check();
  } catch (const Error& e) {
    throw Error(e.kind(), where + ": " + e.what());
  }
}

// One program against the package it stands in.
class ProgramVerifier {
 public:
  ProgramVerifier(const Package& package, const Program& program)
      : package_(package), program_(program), defined_(program.values.size(), false) {}

  void verify() {
    size_t bytes = 0;
    for (size_t v = 0; v < program_.values.size(); ++v) {
      at("value " + std::to_string(v), [&] { check_value(program_.values[v]); });
      defined_[v] = program_.values[v].source != ValueSource::op;
      bytes += static_cast<size_t>(program_.values[v].shape.numel()) * size_of(program_.values[v].dtype);
      if (bytes > kMaxProgramBytes) fail("its values take more than 1024 GiB");
    }
    for (size_t i = 0; i < program_.ops.size(); ++i) {
      const OpNode& op = program_.ops[i];
      at("op " + std::to_string(i) + " (" + std::string(op.def->name) + ", " + quote(op.source) + ")",
         [&] { check_op(op); });
    }
    for (size_t v = 0; v < defined_.size(); ++v)
      if (!defined_[v]) fail("value " + std::to_string(v) + " is no input, tensor or state, and no op makes it");
    for (const NamedValue& update : program_.updates)
      at("update of state " + quote(update.name), [&] { check_update(update); });
  }

 private:
  void check_value(const Value& value) const {
    if (value.source == ValueSource::tensor) {
      const auto it = package_.tensors.find(value.name);
      if (it == package_.tensors.end()) fail("the file has no tensor " + quote(value.name));
      const StoredTensor& tensor = it->second;
      const bool same = is_floating(tensor.dtype) ? value.dtype == DType::f32 : value.dtype == tensor.dtype;
      if (!same || tensor.shape != value.shape)
        fail("is " + shown(value.dtype, value.shape) + ", but the tensor " + quote(value.name) + " is " +
             shown(tensor.dtype, tensor.shape));
    } else if (value.source == ValueSource::state) {
      const auto it = package_.states.find(value.name);
      if (it == package_.states.end()) fail("the package has no state " + quote(value.name));
      if (it->second.dtype != value.dtype || it->second.shape != value.shape)
        fail("is " + shown(value.dtype, value.shape) + ", but the state " + quote(value.name) + " is " +
             shown(it->second.dtype, it->second.shape));
    }
  }

  void check_op(const OpNode& op) {
    check_arity(op);
    OpView view{op, {}, {}};
    for (size_t i = 0; i < op.inputs.size(); ++i) view.inputs.push_back(input(op, i));
    for (int v : op.outputs) {
      if (defined_[v])
        fail("writes value " + std::to_string(v) + ", which is already an input, a tensor, a state or made");
      defined_[v] = true;
      view.outputs.push_back(&program_.values[v]);
    }
    find_shape_rule(op.def->name)(view);
    check_rings(view);
  }

  static void check_arity(const OpNode& op) {
    const size_t wanted = op.def->inputs.size(), given = op.inputs.size();
    if (op.def->is_variadic()) {
      // The only operand of every variadic op is the repeated one; optional means that there may be none.
      const size_t least = op.def->inputs.back().flags & kOptional ? 0 : 1;
      if (given < least || given > kMaxVariadic)
        fail("has " + std::to_string(given) + " operands; " + std::to_string(least) + " to " +
             std::to_string(kMaxVariadic) + " are allowed");
    } else if (given != wanted) {
      fail("has " + std::to_string(given) + " operands; it takes " + std::to_string(wanted) +
           ", -1 for an absent optional one");
    }
    if (op.outputs.size() != op.def->outputs.size())
      fail("has " + std::to_string(op.outputs.size()) + " outputs; it gives " + std::to_string(op.def->outputs.size()));
  }

  const Value* input(const OpNode& op, size_t i) const {
    const InputDef& def = op.def->input(i);
    const std::string name = "operand " + std::to_string(i) + " (" + std::string(def.name) + ")";
    const int v = op.inputs[i];
    if (v < 0) {
      if (!(def.flags & kOptional) || (def.flags & kVariadic)) fail(name + " is absent, but not optional");
      return nullptr;
    }
    if (!defined_[v]) fail(name + " reads value " + std::to_string(v) + " before it is made");
    const Value& value = program_.values[v];
    if (def.role == Role::weight && value.source != ValueSource::tensor)
      fail(name + ", value " + std::to_string(v) + ", must be a tensor of the file");
    return &value;
  }

  // Mutated operands: states of kind compute, each another one, not updated as well.
  void check_rings(const OpView& op) const {
    std::set<std::string> rings;
    for (size_t i = 0; i < op.inputs.size(); ++i) {
      if (op.node.def->input(i).role != Role::ring) continue;
      const Value& value = op.in(i);
      const std::string name = "operand " + std::to_string(i) + " (" + std::string(op.node.def->input(i).name) + ")";
      if (value.source != ValueSource::state) fail(name + " must be a state: the op writes to it");
      if (package_.states.at(value.name).kind != StateKind::compute)
        fail(name + " is the state " + quote(value.name) + ", whose kind must be compute");
      if (!rings.insert(value.name).second)
        fail(name + " is the state " + quote(value.name) + ", as another operand is");
      for (const NamedValue& update : program_.updates)
        if (update.name == value.name)
          fail(name + " is the state " + quote(value.name) + ", which the program also updates");
    }
  }

  void check_update(const NamedValue& update) const {
    const auto it = package_.states.find(update.name);
    if (it == package_.states.end()) fail("the package has no such state");
    const Value& value = program_.values[update.value];
    if (value.dtype != it->second.dtype || value.shape != it->second.shape)
      fail("value " + std::to_string(update.value) + " is " + shown(value.dtype, value.shape) + ", the state " +
           shown(it->second.dtype, it->second.shape));
  }

  const Package& package_;
  const Program& program_;
  std::vector<bool> defined_;  // values made so far
};

void verify_scale(const Package& package, const StoredTensor& tensor) {
  const bool needs = tensor.dtype == DType::f8e4m3;
  if (needs != !tensor.scale.empty())
    fail(needs ? "is F8_E4M3 and needs a scale" : "has a scale, but only F8_E4M3 takes one");
  if (!needs) return;
  const auto it = package.tensors.find(tensor.scale);
  if (it == package.tensors.end()) fail("the file has no tensor " + quote(tensor.scale) + " for its scale");
  if (tensor.shape.rank() < 1) fail("is F8_E4M3 and must have at least one dimension");
  const Dims wanted{tensor.shape[0]};
  if (it->second.dtype != DType::f32 || it->second.shape != wanted)
    fail("its scale " + quote(tensor.scale) + " is " + shown(it->second.dtype, it->second.shape) + "; it must be " +
         shown(DType::f32, wanted));
}

void verify_state(const Package& package, const StateDef& state) {
  if (state.kind == StateKind::compute && state.dtype != DType::f32)
    fail("is compute and " + std::string(name_of(state.dtype)) + "; compute state must be f32");
  if (state.is_seed) {
    const Dims wanted{package.batch};
    if (state.dtype != DType::i64 || state.shape != wanted || state.kind != StateKind::exact || !state.init.empty())
      fail("has the role seed and is " + shown(state.dtype, state.shape) + "; it must be exact, " +
           shown(DType::i64, wanted) + ", without init");
  }
  if (state.init.empty()) return;
  const auto it = package.tensors.find(state.init);
  if (it == package.tensors.end()) fail("the file has no tensor " + quote(state.init) + " for its init");
  if (it->second.dtype != state.dtype || it->second.shape != state.shape)
    fail("is " + shown(state.dtype, state.shape) + ", its init " + quote(state.init) + " is " +
         shown(it->second.dtype, it->second.shape));
}

void verify_states(const Package& package) {
  size_t bytes = 0;
  int seeds = 0;
  for (const auto& [name, state] : package.states) {
    at("state " + quote(name), [&] { verify_state(package, state); });
    bytes += static_cast<size_t>(state.shape.numel()) * size_of(state.dtype);
    seeds += state.is_seed;
    if (bytes > kMaxStateBytes) fail("the states take more than 64 GiB");
    if (seeds > 1) fail("state " + quote(name) + " is a second one with the role seed");
  }
}

}  // namespace

void verify(const Package& package) {
  at(package.path, [&] {
    for (const auto& [name, tensor] : package.tensors)
      at("tensor " + quote(name), [&] { verify_scale(package, tensor); });
    verify_states(package);
    for (const auto& [name, program] : package.programs)
      at("program " + quote(name), [&] { ProgramVerifier(package, program).verify(); });
    verify_schedules(package);
  });
}

}  // namespace yanrt
