// softmax over the last dimension, row by row.
#include "backends/cpu/isa/loops.h"
#include "backends/cpu/kernels/strided.h"

namespace yanrt::cpu {
namespace {

class Softmax final : public Kernel {
 public:
  explicit Softmax(const KernelSpec& spec)
      : row_(loops_for(spec.isa).row.softmax),
        narrow_(loops_for(spec.isa).convert.f32_to_bf16),
        width_(spec.inputs[0].shape[-1]),
        rows_(spec.inputs[0].numel() / width_),
        y_is_bf16_(spec.outputs[0].dtype == DType::bf16),
        grain_(std::max<int64_t>(1, kCopyGrain / width_)) {
    spec.inputs[0].as_rows(&x_stride_);
  }

  void run(const KernelCall& call) const noexcept override {
    const auto [begin, end] = share(rows_, grain_, call.worker, call.workers);
    for (int64_t row = begin; row < end; ++row) {
      const float* x = call.in<const float>(0) + row * x_stride_;
      float* y = y_is_bf16_ ? reinterpret_cast<float*>(call.scratch) : call.out<float>(0) + row * width_;
      row_(x, y, width_);
      if (y_is_bf16_) narrow_(y, call.out<uint16_t>(0) + row * width_, static_cast<size_t>(width_));
    }
  }
  size_t scratch_bytes() const override { return y_is_bf16_ ? static_cast<size_t>(width_) * sizeof(float) : 0; }
  std::string_view variant() const override { return y_is_bf16_ ? "softmax.to_bf16" : "softmax"; }
  int useful_workers() const override { return workers_for(rows_, grain_); }

 private:
  void (*row_)(const float* x, float* y, int64_t n);
  void (*narrow_)(const float* x, uint16_t* y, size_t n);
  int64_t width_, rows_;
  bool y_is_bf16_;
  int64_t grain_, x_stride_ = 0;
};

}  // namespace

std::unique_ptr<Kernel> make_softmax(const KernelSpec& spec) { return std::make_unique<Softmax>(spec); }

}  // namespace yanrt::cpu
