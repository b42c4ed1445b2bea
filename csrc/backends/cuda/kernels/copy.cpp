// y = x, whatever the strides of x.
#include "backends/cuda/kernels/strided.h"

namespace yanrt::cuda {
namespace {

class Copy final : public Kernel {
 public:
  explicit Copy(const KernelSpec& spec) : copy_(spec.op, spec.inputs[0], spec.outputs[0], spec.alignments[0]) {}

  void launch(const KernelCall& call) const override { copy_.launch(call.inputs[0], call.outputs[0], call.stream); }
  std::string_view variant() const override { return "copy"; }

 private:
  StridedCopy copy_;
};

}  // namespace

std::unique_ptr<Kernel> make_copy(const KernelSpec& spec) { return std::make_unique<Copy>(spec); }

}  // namespace yanrt::cuda
