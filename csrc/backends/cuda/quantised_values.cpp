#include "backends/cuda/quantised_values.h"

#include <algorithm>
#include <string_view>

namespace yanrt::cuda {
namespace {

// A norm has a whole row before it; linear must be told the largest magnitude.
bool can_write(const PlannedOp& op, float peak) {
  const std::string_view name = op.node->def->name;
  return name == "layer_norm" || name == "rms_norm" || (name == "linear" && peak > 0);
}

// A whole temporary of bf16 rows that holds its quantised form as well, rows of k 16-byte aligned.
bool fits(const Operand& operand) {
  const TensorDesc& desc = operand.desc;
  if (operand.arena != Arena::workspace || operand.offset != 0 || desc.dtype != DType::bf16 || !desc.is_dense())
    return false;
  const auto k = static_cast<size_t>(desc.shape[-1]);
  if (k == 0 || k % 16 != 0) return false;
  const size_t rows = static_cast<size_t>(desc.numel()) / k;
  return quantised_scales_at(rows, k) + rows * sizeof(float) <= desc.bytes();
}

// Input 0 of a linear op, over the same rows.
bool takes_rows(const PlannedOp& op, size_t input, const Operand& value) {
  return op.node->def->name == "linear" && input == 0 && fits(op.inputs[0]) &&
         op.inputs[0].desc.shape[-1] == value.desc.shape[-1] && op.inputs[0].desc.numel() == value.desc.numel();
}

const StoredTensor& weight_of(const PlannedOp& linear) { return *linear.inputs[1].tensor; }

}  // namespace

QuantisedValues find_quantised_values(const Plan& plan, Precision precision) {
  QuantisedValues values{std::vector<bool>(plan.ops.size()), std::vector<bool>(plan.ops.size()),
                         std::vector<float>(plan.ops.size())};
  if (precision != Precision::fp8) return values;
  for (size_t writer = 0; writer < plan.ops.size(); ++writer) {
    if (plan.ops[writer].outputs.empty() || !fits(plan.ops[writer].outputs[0])) continue;
    const Operand& value = plan.ops[writer].outputs[0];
    std::vector<size_t> readers;
    bool all_take_rows = true;
    for (size_t i = 0; i < plan.ops.size(); ++i)
      for (size_t j = 0; j < plan.ops[i].inputs.size(); ++j) {
        const Operand& input = plan.ops[i].inputs[j];
        if (input.arena != Arena::workspace || input.index != value.index) continue;
        all_take_rows = all_take_rows && takes_rows(plan.ops[i], j, value);
        readers.push_back(i);
      }
    if (!all_take_rows || readers.empty()) continue;
    const float peak = weight_of(plan.ops[readers.front()]).input_peak;
    const auto has_it = [&](size_t reader) { return weight_of(plan.ops[reader]).input_peak == peak; };
    if (!std::all_of(readers.begin(), readers.end(), has_it) || !can_write(plan.ops[writer], peak)) continue;
    values.written[writer] = true;
    values.peak[writer] = peak;
    for (size_t reader : readers) values.read[reader] = true;
  }
  return values;
}

}  // namespace yanrt::cuda
