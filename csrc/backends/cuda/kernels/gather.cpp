// y[..., :] = table[index[...], :]; an index outside the table is clamped.
#include "backends/cuda/kernels/strided.h"

namespace yanrt::cuda {
namespace {

class Gather final : public Kernel {
 public:
  explicit Gather(const KernelSpec& spec) {
    const TensorDesc& table = spec.inputs[0];
    const size_t row_bytes = static_cast<size_t>(table.shape[1]) * size_of(table.dtype);
    unit_ = 16;
    while (row_bytes % unit_ != 0 || spec.alignments[0] % unit_ != 0) unit_ /= 2;
    args_.entries = table.shape[0];
    args_.rows = checked_count(spec.op, spec.inputs[1].numel());
    args_.row_units = static_cast<uint32_t>(row_bytes / unit_);
    checked_count(spec.op, static_cast<int64_t>(args_.rows) * args_.row_units);
  }

  void launch(const KernelCall& call) const override {
    if (args_.rows == 0 || args_.row_units == 0) return;
    GatherArgs args = args_;
    args.table = call.inputs[0];
    args.index = call.in<const int64_t>(1);
    args.y = call.outputs[0];
    check(launch_gather(static_cast<int>(unit_), args, call.stream), "launch of gather");
  }
  std::string_view variant() const override { return "gather"; }

 private:
  size_t unit_;  // bytes
  GatherArgs args_{};
};

}  // namespace

std::unique_ptr<Kernel> make_gather(const KernelSpec& spec) { return std::make_unique<Gather>(spec); }

}  // namespace yanrt::cuda
