// y = the sum, mean, largest or smallest of x along one dimension.
#include "backends/cuda/kernels/softmax.h"
#include "backends/cuda/kernels/strided.h"

namespace yanrt::cuda {
namespace {

Reduction parse_reduction(std::string_view name) {
  if (name == "mean") return Reduction::mean;
  if (name == "max") return Reduction::max;
  if (name == "min") return Reduction::min;
  return Reduction::sum;
}

class Reduce final : public Kernel {
 public:
  explicit Reduce(const KernelSpec& spec) {
    const TensorDesc& x = spec.inputs[0];
    const int dim = static_cast<int>(spec.op.attrs.integer("dim"));
    checked_count(spec.op, x.numel());
    args_.outer = args_.inner = 1;
    for (int i = 0; i < dim; ++i) args_.outer *= static_cast<uint32_t>(x.shape[i]);
    for (int i = dim + 1; i < x.shape.rank(); ++i) args_.inner *= static_cast<uint32_t>(x.shape[i]);
    args_.n = static_cast<uint32_t>(x.shape[dim]);
    args_.kind = parse_reduction(spec.op.attrs.choice("kind"));
    args_.is_integer = x.dtype == DType::i64;
  }

  void launch(const KernelCall& call) const override {
    if (args_.outer == 0 || args_.inner == 0) return;
    ReduceArgs args = args_;
    args.x = call.inputs[0];
    args.y = call.outputs[0];
    check(launch_reduce(args, call.stream), "launch of reduce");
  }
  std::string_view variant() const override { return "reduce"; }

 private:
  ReduceArgs args_{};
};

}  // namespace

std::unique_ptr<Kernel> make_reduce(const KernelSpec& spec) { return std::make_unique<Reduce>(spec); }

}  // namespace yanrt::cuda
