#pragma once

#include "backends/cuda/kernel.h"
#include "backends/cuda/kernels/attention/attention_args.h"

namespace yanrt::cuda {

// Operand `input` of an attention op: rows of dimension `row`, heads of dimension -2, the `outer` dimensions before.
AttentionOperand describe_operand(const KernelSpec& spec, size_t input, int outer, int row);

// Throws Error(unsupported) if the heads are wider than a kernel holds.
void check_head(const OpNode& op, int64_t d);

}  // namespace yanrt::cuda
