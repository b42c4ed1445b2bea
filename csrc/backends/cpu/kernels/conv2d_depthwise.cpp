// Depthwise convolution: every channel has its own small kernel. A pixel of y is the sum of its taps, all channels at
// once.
#include <algorithm>

#include "backends/cpu/kernels/conv2d.h"
#include "backends/cpu/kernels/gemm.h"
#include "core/bf16.h"

namespace yanrt::cpu {
namespace {

constexpr int64_t kMacsPerWorker = 16 * 1024;

class Depthwise final : public Kernel {
 public:
  Depthwise(const KernelSpec& spec, const ConvShape& shape)
      : shape_(shape),
        element_bytes_(static_cast<int64_t>(size_of(spec.inputs[kConvX].dtype))),
        finish_args_(conv_finish_args(spec, shape)),
        variant_("conv2d.depthwise." + std::string(name_of(spec.compute)) + "." + std::string(name_of(spec.isa))),
        weights_(pack(spec)) {
    const Loops& loops = loops_for(spec.isa);
    const bool x_is_bf16 = spec.inputs[kConvX].dtype == DType::bf16;
    tap_ = x_is_bf16                     ? loops.depthwise.tap_bf16
           : spec.compute == DType::bf16 ? loops.depthwise.tap_rounded
                                         : loops.depthwise.tap_f32;
    finish_ = loops.gemm.finish;
    finish_args_.scale = stored_scales(spec.constants[kConvWeight], spec.weights);
    const int64_t worth = shape.pixels() * shape.out * shape.field() / kMacsPerWorker;
    useful_workers_ =
        static_cast<int>(std::clamp<int64_t>(worth, 1, std::min<int64_t>(shape.pixels(), spec.max_workers)));
  }

  void run(const KernelCall& call) const noexcept override {
    auto* sums = reinterpret_cast<float*>(call.scratch);
    FinishArgs finish = conv_finish(finish_args_, call, 0);
    const Range mine = share(shape_.pixels(), 1, call.worker, call.workers);
    const int64_t y_bytes = finish.y_stride * (finish.y_is_bf16 ? 2 : 4);
    finish.y = static_cast<std::byte*>(finish.y) + mine.begin * y_bytes;
    if (finish.residual) finish.residual += mine.begin * finish.residual_stride;
    ConvPixel pixel(shape_, mine.begin);
    for (int64_t i = mine.begin; i < mine.end; ++i, pixel.advance()) {
      sum_taps(call.inputs[kConvX], pixel, sums);
      finish_(finish, sums, shape_.out, 1, shape_.out);
      finish.y = static_cast<std::byte*>(finish.y) + y_bytes;
      if (finish.residual) finish.residual += finish.residual_stride;
    }
  }
  size_t scratch_bytes() const override { return static_cast<size_t>(shape_.out) * sizeof(float); }
  std::string_view variant() const override { return variant_; }
  int useful_workers() const override { return useful_workers_; }

 private:
  // [kh * kw][channels] in f32, rounded to bf16 in that precision.
  const float* pack(const KernelSpec& spec) const {
    const StoredTensor& tensor = *spec.constants[kConvWeight].tensor;
    const bool round = spec.compute == DType::bf16;
    const size_t bytes = static_cast<size_t>(shape_.field() * shape_.out) * sizeof(float);
    const std::byte* packed =
        spec.weights.get(tensor.name, round ? "depthwise.bf16" : "depthwise.f32", bytes, [&](std::byte* to) {
          const WeightReader values(tensor);
          auto* out = reinterpret_cast<float*>(to);
          std::vector<float> taps(static_cast<size_t>(shape_.field()));
          for (int64_t channel = 0; channel < shape_.out; ++channel) {
            values.read(channel * shape_.field(), shape_.field(), taps.data());
            for (int64_t tap = 0; tap < shape_.field(); ++tap) {
              const float value = taps[static_cast<size_t>(tap)];
              out[tap * shape_.out + channel] = round ? bf16_to_f32(f32_to_bf16(value)) : value;
            }
          }
        });
    return reinterpret_cast<const float*>(packed);
  }

  void sum_taps(const std::byte* x, const ConvPixel& pixel, float* sums) const noexcept {
    const ConvShape& s = shape_;
    const int64_t left = pixel.left(), top = pixel.top();
    const ConvShape::Taps rows = s.taps_inside(0, top), columns = s.taps_inside(1, left);
    std::fill_n(sums, s.out, 0.0f);
    for (int64_t i = rows.begin; i < rows.end; ++i)
      for (int64_t j = columns.begin; j < columns.end; ++j) {
        const int64_t y_in = top + i * s.dilation[0], x_in = left + j * s.dilation[1];
        const std::byte* from = x + ((pixel.image() * s.height + y_in) * s.width + x_in) * s.in * element_bytes_;
        tap_(from, weights_ + (i * s.kernel[1] + j) * s.out, sums, s.out);
      }
  }

  ConvShape shape_;
  int64_t element_bytes_;
  FinishArgs finish_args_;
  std::string variant_;
  const float* weights_;
  decltype(DepthwiseLoops::tap_f32) tap_ = nullptr;
  decltype(GemmLoops::finish) finish_ = nullptr;
  int useful_workers_ = 1;
};

}  // namespace

std::unique_ptr<Kernel> make_depthwise(const KernelSpec& spec, const ConvShape& shape) {
  return std::make_unique<Depthwise>(spec, shape);
}

}  // namespace yanrt::cpu
