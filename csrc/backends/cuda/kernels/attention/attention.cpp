// attention: q [..., L, H, D], k and v [..., S, H, D], mask broadcastable to [..., H, L, S].
#include "backends/cuda/kernels/attention/operand.h"
#include "backends/cuda/kernels/strided.h"

namespace yanrt::cuda {
namespace {

enum Input : size_t { kQ, kK, kV, kMask };

class Attention final : public Kernel {
 public:
  explicit Attention(const KernelSpec& spec) {
    const Dims& shape = spec.inputs[kQ].shape;
    const int rank = shape.rank(), outer = rank - 3;
    check_head(spec.op, shape[-1]);
    args_.q = describe_operand(spec, kQ, outer, -3);
    args_.k = describe_operand(spec, kK, outer, -3);
    args_.v = describe_operand(spec, kV, outer, -3);
    args_.y_is_bf16 = spec.outputs[0].dtype == DType::bf16;
    args_.queries = checked_count(spec.op, shape[-3]);
    args_.keys = checked_count(spec.op, spec.inputs[kK].shape[-3]);
    args_.heads = static_cast<uint32_t>(shape[-2]);
    args_.d = static_cast<uint32_t>(shape[-1]);
    args_.outer_rank = outer;
    args_.outer_count = 1;
    for (int i = 0; i < outer; ++i) {
      args_.outer_shape[i] = static_cast<uint32_t>(shape[i]);
      args_.outer_count *= args_.outer_shape[i];
    }
    if (spec.has(kMask)) describe_mask(spec.inputs[kMask], outer);
    args_.scale = static_cast<float>(spec.op.attrs.real("scale"));
    args_.causal = spec.op.attrs.integer("causal") != 0;
    args_.rounded = spec.precision != Precision::fp32;
    tensor_cores_ = args_.rounded && args_.d <= kMaxHeadMma;
  }

  void launch(const KernelCall& call) const override {
    if (args_.outer_count == 0 || args_.queries == 0) return;
    AttentionArgs args = args_;
    args.q.data = call.inputs[kQ];
    args.k.data = call.inputs[kK];
    args.v.data = call.inputs[kV];
    args.mask = has_mask_ ? call.in<const float>(kMask) : nullptr;
    args.y = call.outputs[0];
    check(tensor_cores_ ? launch_attention_mma(args, call.stream) : launch_attention_simt(args, call.stream),
          "launch of attention");
  }
  std::string_view variant() const override { return tensor_cores_ ? "attention.bf16" : "attention.simt"; }

 private:
  // Strides along [..., H, L, S]; 0 where it is broadcast.
  void describe_mask(const TensorDesc& mask, int outer) {
    has_mask_ = true;
    const int missing = outer + 3 - mask.shape.rank();
    const auto stride = [&](int i) {
      return i < missing || mask.shape[i - missing] == 1 ? 0 : mask.strides[i - missing];
    };
    for (int i = 0; i < outer; ++i) args_.mask_outer[i] = stride(i);
    args_.mask_head = stride(outer);
    args_.mask_row = stride(outer + 1);
    args_.mask_key = stride(outer + 2);
  }

  bool has_mask_ = false, tensor_cores_ = false;
  AttentionArgs args_{};
};

}  // namespace

std::unique_ptr<Kernel> make_attention(const KernelSpec& spec) { return std::make_unique<Attention>(spec); }

}  // namespace yanrt::cuda
