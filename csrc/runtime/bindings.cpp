#include "runtime/backend.h"

namespace yanrt {

std::byte* resolve(const Operand& operand, const Plan& plan, const Bindings& bindings, const std::byte* constant) {
  switch (operand.arena) {
    case Arena::absent: return nullptr;
    case Arena::constant: return constant ? const_cast<std::byte*>(constant) + operand.offset : nullptr;
    case Arena::input: return bindings.inputs[operand.index] + operand.offset;
    case Arena::output: return bindings.outputs[operand.index] + operand.offset;
    case Arena::state: return bindings.state + operand.offset;
    case Arena::pending: return bindings.pending + operand.offset;
    case Arena::workspace: return bindings.workspace + plan.buffers[operand.index].offset + operand.offset;
  }
  return nullptr;
}

}  // namespace yanrt
