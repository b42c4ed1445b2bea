// y = x inside a border of one value.
#include <cstring>

#include "backends/cuda/kernels/strided.h"
#include "core/bf16.h"

namespace yanrt::cuda {
namespace {

// The bits of one element of `dtype`.
uint64_t bits_of(double value, DType dtype) {
  uint64_t bits = 0;
  const auto store = [&bits](auto element) { std::memcpy(&bits, &element, sizeof(element)); };
  switch (dtype) {
    case DType::f32: store(static_cast<float>(value)); break;
    case DType::bf16: store(f32_to_bf16(static_cast<float>(value))); break;
    case DType::i64: store(static_cast<int64_t>(value)); break;
    case DType::i32: store(static_cast<int32_t>(value)); break;
    default: store(static_cast<uint8_t>(value)); break;
  }
  return bits;
}

class Pad final : public Kernel {
 public:
  explicit Pad(const KernelSpec& spec) : bytes_(static_cast<int>(size_of(spec.outputs[0].dtype))) {
    const TensorDesc &x = spec.inputs[0], &y = spec.outputs[0];
    const std::vector<int64_t>& pads = spec.op.attrs.ints("pads");
    args_.numel = checked_count(spec.op, y.numel());
    args_.rank = y.shape.rank();
    for (int i = 0; i < args_.rank; ++i) {
      args_.shape[i] = static_cast<uint32_t>(y.shape[i]);
      args_.x_shape[i] = static_cast<uint32_t>(x.shape[i]);
      args_.before[i] = pads[static_cast<size_t>(2 * i)];
      args_.x_strides[i] = x.strides[i];
    }
    args_.value = bits_of(spec.op.attrs.real("value"), y.dtype);
  }

  void launch(const KernelCall& call) const override {
    if (args_.numel == 0) return;
    PadArgs args = args_;
    args.x = call.inputs[0];
    args.y = call.outputs[0];
    check(launch_pad(bytes_, args, call.stream), "launch of pad");
  }
  std::string_view variant() const override { return "pad"; }

 private:
  int bytes_;
  PadArgs args_{};
};

}  // namespace

std::unique_ptr<Kernel> make_pad(const KernelSpec& spec) { return std::make_unique<Pad>(spec); }

}  // namespace yanrt::cuda
