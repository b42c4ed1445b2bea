#include "backends/cuda/kernels/attention/operand.h"

#include "core/error.h"

namespace yanrt::cuda {

AttentionOperand describe_operand(const KernelSpec& spec, size_t input, int outer, int row) {
  const TensorDesc& desc = spec.inputs[input];
  const auto element = static_cast<int64_t>(size_of(desc.dtype));
  AttentionOperand operand{.data = nullptr, .type = desc.dtype, .aligned = false, .outer = {}, .row = 0, .head = 0};
  const int64_t chunk = 8 * element;  // bytes
  bool aligned = spec.alignments[input] % static_cast<size_t>(chunk) == 0;
  for (int i = 0; i + 1 < desc.shape.rank(); ++i) aligned = aligned && (desc.shape[i] == 1 || desc.strides[i] % 8 == 0);
  operand.aligned = aligned;
  for (int i = 0; i < outer; ++i) operand.outer[i] = desc.strides[i];
  operand.row = desc.strides[row];
  operand.head = desc.strides[-2];
  return operand;
}

void check_head(const OpNode& op, int64_t d) {
  if (d > kMaxHeadSimt)
    throw Error(ErrorKind::unsupported, std::string(op.def->name) + " (" + op.source + "): heads of " +
                                            std::to_string(d) + " are wider than the " + std::to_string(kMaxHeadSimt) +
                                            " that the CUDA kernels hold; use more heads, or device='cpu'");
}

}  // namespace yanrt::cuda
