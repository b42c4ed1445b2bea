#include <algorithm>

#include "backends/cuda/kernels/norms.h"
#include "backends/cuda/kernels/strided.h"

namespace yanrt::cuda {
namespace {

enum Input : size_t { kX, kScale, kShift };
constexpr uint32_t kMaxChunks = 64;         // of a group: what the second kernel merges
constexpr uint32_t kChunkElements = 16384;  // fewer are not worth a block

class GroupNorm final : public Kernel {
 public:
  explicit GroupNorm(const KernelSpec& spec) {
    const Dims& x = spec.inputs[kX].shape;
    checked_count(spec.op, x.numel());
    args_.batch = static_cast<uint32_t>(x[0]);
    args_.pixels = static_cast<uint32_t>(x[1] * x[2]);
    args_.channels = static_cast<uint32_t>(x[3]);
    args_.groups = static_cast<uint32_t>(spec.op.attrs.integer("groups"));
    const uint32_t width = args_.channels / args_.groups;
    const uint32_t wanted = std::clamp<uint32_t>(args_.pixels * width / kChunkElements, 1, kMaxChunks);
    args_.chunk_pixels = std::max<uint32_t>(1, (args_.pixels + wanted - 1) / wanted);
    args_.chunks = std::max<uint32_t>(1, (args_.pixels + args_.chunk_pixels - 1) / args_.chunk_pixels);
    args_.eps = static_cast<float>(spec.op.attrs.real("eps"));
    args_.act = parse_activation(spec.op.attrs.choice("act"));
    args_.x_is_bf16 = spec.inputs[kX].dtype == DType::bf16;
    args_.y_is_bf16 = spec.outputs[0].dtype == DType::bf16;
  }

  void launch(const KernelCall& call) const override {
    if (args_.batch == 0 || args_.pixels == 0) return;
    GroupNormArgs args = args_;
    args.x = call.inputs[kX];
    args.scale = call.in<const float>(kScale);
    args.shift = call.in<const float>(kShift);
    args.y = call.outputs[0];
    args.partial = reinterpret_cast<float*>(call.scratch);
    check(launch_group_norm(args, call.stream), "launch of group_norm");
  }
  size_t scratch_bytes() const override {
    return size_t{2} * args_.batch * args_.groups * args_.chunks * sizeof(float);
  }
  std::string_view variant() const override { return "group_norm"; }

 private:
  GroupNormArgs args_{};
};

}  // namespace

std::unique_ptr<Kernel> make_group_norm(const KernelSpec& spec) { return std::make_unique<GroupNorm>(spec); }

}  // namespace yanrt::cuda
