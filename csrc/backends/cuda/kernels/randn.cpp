#include "backends/cuda/kernels/randn.h"

#include "backends/cuda/kernels/strided.h"

namespace yanrt::cuda {
namespace {

class Randn final : public Kernel {
 public:
  explicit Randn(const KernelSpec& spec) {
    const TensorDesc& y = spec.outputs[0];
    args_.batch = static_cast<uint32_t>(y.shape[0]);
    args_.count = args_.batch ? checked_count(spec.op, y.numel()) / args_.batch : 0;
  }

  void launch(const KernelCall& call) const override {
    if (args_.batch == 0 || args_.count == 0) return;
    RandnArgs args = args_;
    args.seed = call.in<const int64_t>(0);
    args.counter = call.in<const int64_t>(1);
    args.y = call.out<float>(0);
    check(launch_randn(args, call.stream), "launch of randn");
  }
  std::string_view variant() const override { return "randn"; }

 private:
  RandnArgs args_{};
};

}  // namespace

std::unique_ptr<Kernel> make_randn(const KernelSpec& spec) { return std::make_unique<Randn>(spec); }

}  // namespace yanrt::cuda
