#include "runtime/op_operands.h"

namespace yanrt {

OpOperands::OpOperands(const PlannedOp& op, const Package& package)
    : present_(std::make_unique<bool[]>(op.inputs.size())) {
  for (size_t i = 0; i < op.inputs.size(); ++i) {
    const Operand& in = op.inputs[i];
    inputs.push_back(in.desc);
    present_[i] = in.arena != Arena::absent;
    const bool scaled = in.tensor && !in.tensor->scale.empty();
    constants.push_back({in.tensor, scaled ? &package.tensors.at(in.tensor->scale) : nullptr});
  }
  for (const Operand& out : op.outputs) outputs.push_back(op.store ? op.store->result : out.desc);
}

}  // namespace yanrt
