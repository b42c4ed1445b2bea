// y = the operands one after the other along `dim`: one strided copy an operand.
#include "backends/cpu/kernels/strided.h"

namespace yanrt::cpu {
namespace {

class Concat final : public Kernel {
 public:
  explicit Concat(const KernelSpec& spec) {
    const TensorDesc& out = spec.outputs[0];
    const int axis = static_cast<int>(spec.op.attrs.integer("dim"));
    int64_t offset = 0;
    for (const TensorDesc& part : spec.inputs) {
      copies_.push_back({StridedCopy(part, {out.dtype, part.shape, out.strides}),
                         offset * out.strides[axis] * static_cast<int64_t>(size_of(out.dtype))});
      offset += part.shape[axis];
      numel_ += part.numel();
    }
  }

  void run(const KernelCall& call) const noexcept override {
    for (size_t i = 0; i < copies_.size(); ++i) {
      const auto& [copy, offset] = copies_[i];
      copy.run(call.inputs[i], call.outputs[0] + offset, share(copy.numel(), kCopyGrain, call.worker, call.workers));
    }
  }
  std::string_view variant() const override { return "concat"; }
  int useful_workers() const override { return workers_for(numel_, kCopyGrain); }

 private:
  struct Part {
    StridedCopy copy;
    int64_t offset;  // bytes into y
  };
  std::vector<Part> copies_;
  int64_t numel_ = 0;
};

}  // namespace

std::unique_ptr<Kernel> make_concat(const KernelSpec& spec) { return std::make_unique<Concat>(spec); }

}  // namespace yanrt::cpu
