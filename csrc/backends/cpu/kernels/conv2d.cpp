// y = residual + act(conv(x) + bias), NHWC. A convolution is a GEMM over the pixels of y: row r of its left matrix is
// the receptive field of pixel r, gathered into scratch a block of pixels at a time. With one channel a group
// (depthwise) there is no matrix to speak of, and conv2d_depthwise.cpp takes over.
#include "backends/cpu/kernels/conv2d.h"

#include <algorithm>
#include <cstring>

#include "backends/cpu/kernels/gemm.h"

namespace yanrt::cpu {
namespace {

class Conv2d final : public Kernel {
 public:
  Conv2d(const KernelSpec& spec, const ConvShape& shape)
      : Conv2d(spec, shape, loops_for(spec.isa), tile_for(loops_for(spec.isa), spec.compute)) {}

  void run(const KernelCall& call) const noexcept override {
    for (int64_t group = 0; group < shape_.groups; ++group) {
      const FinishArgs finish = conv_finish(finish_, call, group * shape_.group_out());
      const std::byte* x = call.inputs[kConvX];
      gemm_.run(call, group, finish, [this, x, group](int64_t first, int64_t count, std::byte* scratch) {
        if (in_place_) return Rows{x + first * shape_.in * element_bytes_, shape_.in};
        for (int64_t row = 0; row < count; ++row)
          gather(x, group, first + row, scratch + row * gemm_.row_stride() * operand_bytes_);
        return Rows{scratch, gemm_.row_stride()};
      });
    }
  }
  size_t scratch_bytes() const override { return gemm_.scratch_bytes(); }
  std::string_view variant() const override { return variant_; }
  int useful_workers() const override { return gemm_.useful_workers(); }

 private:
  Conv2d(const KernelSpec& spec, const ConvShape& shape, const Loops& loops, const TileLoop& tile)
      : shape_(shape),
        to_operand_(loops.convert, tile, spec.inputs[kConvX].dtype),
        element_bytes_(static_cast<int64_t>(to_operand_.from_size())),
        operand_bytes_(static_cast<int64_t>(to_operand_.to_size())),
        in_place_(shape.is_pointwise() && to_operand_.is_copy() && shape.in % tile.group == 0),
        variant_("conv2d." + std::string(name_of(spec.compute)) + "." + std::string(name_of(spec.isa))),
        gemm_(spec, loops, spec.constants[kConvWeight],
              {.m = shape.pixels(),
               .n = shape.group_out(),
               .k = shape.field() * shape.group_in(),
               .groups = shape.groups},
              in_place_),
        finish_(conv_finish_args(spec, shape)) {}

  // The receptive field of one pixel of y, in the order of the weight: [kh][kw][channels of the group].
  void gather(const std::byte* x, int64_t group, int64_t pixel, std::byte* to) const noexcept {
    const ConvShape& s = shape_;
    const int64_t left = pixel % s.out_width * s.stride[1] - s.padding[1];
    const int64_t top = pixel / s.out_width % s.out_height * s.stride[0] - s.padding[0];
    const std::byte* image = x + pixel / (s.out_width * s.out_height) * s.height * s.width * s.in * element_bytes_;
    const int64_t channels = s.group_in(), bytes = channels * operand_bytes_;
    for (int64_t i = 0; i < s.kernel[0]; ++i) {
      const int64_t row = top + i * s.dilation[0];
      const ConvShape::Taps taps = s.taps_inside(1, left);
      if (row < 0 || row >= s.height || taps.begin == taps.end) {
        std::memset(to, 0, static_cast<size_t>(s.kernel[1] * bytes));
        to += s.kernel[1] * bytes;
        continue;
      }
      std::memset(to, 0, static_cast<size_t>(taps.begin * bytes));
      to += taps.begin * bytes;
      const std::byte* from =
          image + ((row * s.width + left + taps.begin * s.dilation[1]) * s.in + group * channels) * element_bytes_;
      if (s.dilation[1] == 1 && s.groups == 1) {  // neighbouring taps are neighbours in memory
        to_operand_(from, to, (taps.end - taps.begin) * channels);
        to += (taps.end - taps.begin) * bytes;
      } else {
        for (int64_t j = taps.begin; j < taps.end; ++j, to += bytes, from += s.dilation[1] * s.in * element_bytes_)
          to_operand_(from, to, channels);
      }
      std::memset(to, 0, static_cast<size_t>((s.kernel[1] - taps.end) * bytes));
      to += (s.kernel[1] - taps.end) * bytes;
    }
    const int64_t k = s.field() * channels;
    std::memset(to, 0, static_cast<size_t>((gemm_.padded_k() - k) * operand_bytes_));
  }

  ConvShape shape_;
  ToOperand to_operand_;
  int64_t element_bytes_, operand_bytes_;
  bool in_place_;
  std::string variant_;
  Gemm gemm_;
  FinishArgs finish_;
};

}  // namespace

std::unique_ptr<Kernel> make_conv2d(const KernelSpec& spec) {
  const ConvShape shape = conv_shape(spec);
  if (shape.is_depthwise()) return make_depthwise(spec, shape);
  return std::make_unique<Conv2d>(spec, shape);
}

}  // namespace yanrt::cpu
