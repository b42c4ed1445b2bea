// y = x inside a border of one value. The workers share the rows of y (its last dimension): a row of the border is
// filled, any other is a piece of border, a row of x, a piece of border.
#include <cstring>

#include "backends/cpu/kernels/strided.h"
#include "core/bf16.h"

namespace yanrt::cpu {
namespace {

template <class T>
void fill(std::byte* to, const std::byte* value, int64_t n) {
  T element;
  std::memcpy(&element, value, sizeof(T));
  std::fill_n(reinterpret_cast<T*>(to), n, element);
}

class Pad final : public Kernel {
 public:
  explicit Pad(const KernelSpec& spec)
      : y_(spec.outputs[0]), x_shape_(spec.inputs[0].shape), copy_(spec.inputs[0], {y_.dtype, x_shape_, y_.strides}) {
    const std::vector<int64_t>& pads = spec.op.attrs.ints("pads");
    for (int i = 0; i < x_shape_.rank(); ++i) before_.push_back(pads[static_cast<size_t>(2 * i)]);
    set_value(spec.op.attrs.real("value"));
    width_ = y_.shape.rank() ? y_.shape[-1] : 1;
    rows_ = width_ ? y_.numel() / width_ : 0;
    grain_ = std::max<int64_t>(1, kCopyGrain / std::max<int64_t>(width_, 1));
  }

  void run(const KernelCall& call) const noexcept override {
    const auto [begin, end] = share(rows_, grain_, call.worker, call.workers);
    for (int64_t row = begin; row < end; ++row) pad_row(call.inputs[0], call.outputs[0], row);
  }
  std::string_view variant() const override { return "pad"; }
  int useful_workers() const override { return workers_for(rows_, grain_); }

 private:
  void pad_row(const std::byte* x, std::byte* y, int64_t row) const {
    const auto size = static_cast<int64_t>(size_of(y_.dtype));
    const int64_t x_row = row_of_x(row);
    std::byte* to = y + row * width_ * size;
    if (x_row < 0) {
      fill_(to, value_, width_);
      return;
    }
    const int rank = x_shape_.rank();
    const int64_t left = rank ? before_[-1] : 0, inner = rank ? x_shape_[-1] : 1;
    fill_(to, value_, left);
    fill_(to + (left + inner) * size, value_, width_ - left - inner);
    // The copy's own origin is the first element of x inside y.
    int64_t origin = 0;
    for (int i = 0; i < rank; ++i) origin += before_[i] * y_.strides[i];
    copy_.run(x, y + origin * size, {x_row * inner, (x_row + 1) * inner});
  }

  // The row of x that lies in this row of y, or -1.
  int64_t row_of_x(int64_t row) const {
    int64_t x_row = 0, step = 1;
    for (int i = x_shape_.rank() - 2; i >= 0; --i) {
      const int64_t at = row % y_.shape[i] - before_[i];
      row /= y_.shape[i];
      if (at < 0 || at >= x_shape_[i]) return -1;
      x_row += at * step;
      step *= x_shape_[i];
    }
    return x_row;
  }

  void set_value(double value) {
    const auto store = [this](auto element) { std::memcpy(value_, &element, sizeof(element)); };
    switch (y_.dtype) {
      case DType::f32: store(static_cast<float>(value)), fill_ = fill<uint32_t>; break;
      case DType::bf16: store(f32_to_bf16(static_cast<float>(value))), fill_ = fill<uint16_t>; break;
      case DType::i64: store(static_cast<int64_t>(value)), fill_ = fill<uint64_t>; break;
      case DType::i32: store(static_cast<int32_t>(value)), fill_ = fill<uint32_t>; break;
      default: store(static_cast<uint8_t>(value)), fill_ = fill<uint8_t>; break;
    }
  }

  TensorDesc y_;
  Dims x_shape_, before_;
  StridedCopy copy_;
  std::byte value_[8];
  void (*fill_)(std::byte* to, const std::byte* value, int64_t n) = nullptr;
  int64_t width_, rows_, grain_;
};

}  // namespace

std::unique_ptr<Kernel> make_pad(const KernelSpec& spec) { return std::make_unique<Pad>(spec); }

}  // namespace yanrt::cpu
