// y = the operands one after the other along `dim`: one strided copy an operand.
#include <bit>

#include "backends/cuda/kernels/strided.h"

namespace yanrt::cuda {
namespace {

class Concat final : public Kernel {
 public:
  explicit Concat(const KernelSpec& spec) {
    const TensorDesc& out = spec.outputs[0];
    const int axis = static_cast<int>(spec.op.attrs.integer("dim"));
    int64_t first = 0;
    for (size_t i = 0; i < spec.inputs.size(); ++i) {
      const TensorDesc& part = spec.inputs[i];
      const auto offset = static_cast<size_t>(first * out.strides[axis]) * size_of(out.dtype);
      const size_t alignment = size_t{1} << std::countr_zero(offset | spec.alignments[i]);
      parts_.push_back({StridedCopy(spec.op, part, {out.dtype, part.shape, out.strides}, alignment), offset});
      first += part.shape[axis];
    }
  }

  void launch(const KernelCall& call) const override {
    for (size_t i = 0; i < parts_.size(); ++i)
      parts_[i].copy.launch(call.inputs[i], call.outputs[0] + parts_[i].offset, call.stream);
  }
  std::string_view variant() const override { return "concat"; }

 private:
  struct Part {
    StridedCopy copy;
    size_t offset;  // bytes into y
  };
  std::vector<Part> parts_;
};

}  // namespace

std::unique_ptr<Kernel> make_concat(const KernelSpec& spec) { return std::make_unique<Concat>(spec); }

}  // namespace yanrt::cuda
