#include "backends/cuda/kernels/softmax.h"

#include "backends/cuda/kernels/strided.h"
#include "core/error.h"

namespace yanrt::cuda {
namespace {

class Softmax final : public Kernel {
 public:
  explicit Softmax(const KernelSpec& spec) {
    const TensorDesc& x = spec.inputs[0];
    if (!x.as_rows(&args_.x_stride))
      throw Error(ErrorKind::unsupported, "softmax (" + spec.op.source + "): the rows of x " + x.shape.str() +
                                              " have no common stride; copy it first");
    args_.d = static_cast<uint32_t>(x.shape[-1]);
    args_.rows = args_.d ? checked_count(spec.op, x.numel() / x.shape[-1]) : 0;
    args_.x_is_bf16 = x.dtype == DType::bf16;
    args_.y_is_bf16 = spec.outputs[0].dtype == DType::bf16;
  }

  void launch(const KernelCall& call) const override {
    if (args_.rows == 0) return;
    SoftmaxArgs args = args_;
    args.x = call.inputs[0];
    args.y = call.outputs[0];
    check(launch_softmax(args, call.stream), "launch of softmax");
  }
  std::string_view variant() const override { return "softmax"; }

 private:
  SoftmaxArgs args_{};
};

}  // namespace

std::unique_ptr<Kernel> make_softmax(const KernelSpec& spec) { return std::make_unique<Softmax>(spec); }

}  // namespace yanrt::cuda
