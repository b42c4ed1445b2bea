// ring_attention (docs/ring_attention.md): attention, then the commit. Frame counters are read on the device: nothing
// of the ring's position is in the launch.
#include "backends/cuda/kernels/attention/operand.h"
#include "backends/cuda/kernels/strided.h"

namespace yanrt::cuda {
namespace {

enum Input : size_t { kQ, kK, kV, kKRing, kVRing, kFrame, kFirstValid, kBias };

class RingAttention final : public Kernel {
 public:
  explicit RingAttention(const KernelSpec& spec) : by_frame_(spec.op.attrs.choice("scope") == "frame") {
    const Dims &q = spec.inputs[kQ].shape, &ring = spec.inputs[kKRing].shape;
    check_head(spec.op, q[4]);
    args_.q = describe_operand(spec, kQ, 2, 2);
    args_.k = describe_operand(spec, kK, 2, 2);
    args_.v = describe_operand(spec, kV, 2, 2);
    args_.ring_type = spec.inputs[kKRing].dtype;
    args_.ring_aligned = q[4] % 8 == 0;
    args_.y_is_bf16 = spec.outputs[0].dtype == DType::bf16;
    const auto narrow = [](int64_t value) { return static_cast<uint32_t>(value); };
    args_.batch = narrow(q[0]);
    args_.window = narrow(q[1]);
    args_.positions = narrow(q[2]);
    args_.heads = narrow(q[3]);
    args_.d = narrow(q[4]);
    args_.slots = narrow(ring[1]);
    args_.commit = narrow(spec.op.attrs.integer("commit"));
    args_.history = narrow(spec.op.attrs.integer("history"));
    has_bias_ = spec.has(kBias);
    args_.bias_stride = has_bias_ ? narrow(spec.inputs[kBias].shape[1]) : 0;
    args_.scale = static_cast<float>(spec.op.attrs.real("scale"));
    args_.rounded = spec.precision != Precision::fp32;
    checked_count(spec.op, q.numel());
    tensor_cores_ = by_frame_ && args_.rounded && args_.d <= kMaxHeadMma;
    variant_ = std::string("ring_attention.") + (by_frame_ ? "frame." : "position.") +
               std::string(name_of(args_.ring_type)) + (tensor_cores_ ? ".mma" : ".simt");
  }

  void launch(const KernelCall& call) const override {
    if (args_.batch == 0 || args_.window == 0 || args_.positions == 0) return;
    RingAttentionArgs args = args_;
    args.q.data = call.inputs[kQ];
    args.k.data = call.inputs[kK];
    args.v.data = call.inputs[kV];
    args.k_ring = call.inputs[kKRing];
    args.v_ring = call.inputs[kVRing];
    args.frame = call.in<const int64_t>(kFrame);
    args.first_valid = call.in<const int64_t>(kFirstValid);
    args.bias = has_bias_ ? call.in<const float>(kBias) : nullptr;
    args.y = call.outputs[0];
    if (tensor_cores_)
      check(launch_ring_frame_mma(args, call.stream), "launch of ring_attention.frame");
    else if (by_frame_)
      check(launch_ring_frame_simt(args, call.stream), "launch of ring_attention.frame");
    else
      check(launch_ring_position_simt(args, call.stream), "launch of ring_attention.position");
    if (args.commit > 0) check(launch_ring_commit(args, call.stream), "launch of ring_commit");
  }
  std::string_view variant() const override { return variant_; }

 private:
  bool by_frame_, has_bias_ = false, tensor_cores_ = false;
  RingAttentionArgs args_{};
  std::string variant_;
};

}  // namespace

std::unique_ptr<Kernel> make_ring_attention(const KernelSpec& spec) { return std::make_unique<RingAttention>(spec); }

}  // namespace yanrt::cuda
