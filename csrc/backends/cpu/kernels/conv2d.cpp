// y = residual + act(conv(x) + bias), NHWC. A convolution is a GEMM over the pixels of y: row r of its left matrix is
// the receptive field of pixel r, gathered into scratch a block of pixels at a time, or, where it can, read where it
// lies in an image (conv2d_image.h). With one channel a group (depthwise) there is no matrix to speak of, and
// conv2d_depthwise.cpp takes over.
#include "backends/cpu/kernels/conv2d.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "backends/cpu/kernels/conv2d_image.h"
#include "backends/cpu/kernels/gemm.h"

namespace yanrt::cpu {
namespace {

class Conv2d final : public Kernel {
 public:
  Conv2d(const KernelSpec& spec, const ConvShape& shape)
      : Conv2d(spec, shape, loops_for(spec.isa), tile_for(loops_for(spec.isa), spec.precision)) {}

  void run(const KernelCall& call) const noexcept override {
    for (int64_t group = 0; group < shape_.groups; ++group) {
      FinishArgs finish = conv_finish(finish_, call, group * shape_.group_out());
      if (stores_) finish.y = call.outputs[0];
      const std::byte* x = call.inputs[kConvX];
      gemm_.run(call, group, finish, [this, x, group](const RowPart& part, const RowScratch& scratch) {
        return quantised_ ? integer_rows(x, group, part.first, part.count, scratch)
                          : rows(x, group, part.first, part.count, scratch);
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
        quantiser_(loops.quantise, tile, spec.inputs[kConvX].dtype, spec.constants[kConvWeight].tensor->input_peak),
        quantised_(tile.is_integer()),
        in_place_(!quantised_ && shape.is_pointwise() && to_operand_.is_copy() && shape.in % tile.depth == 0),
        stores_(spec.store != nullptr),
        image_(!quantised_ && ConvImage::suits(shape, tile) ? std::optional<ConvImage>({shape, tile, to_operand_})
                                                            : std::nullopt),
        variant_("conv2d." + std::string(name_of(spec.precision)) + "." + std::string(name_of(spec.isa)) +
                 (quantised_ && quantiser_.is_static() ? ".static" : "")),
        gemm_(spec, loops, spec.constants[kConvWeight],
              {.m = shape.pixels(),
               .n = shape.group_out(),
               .k = shape.field() * shape.group_in(),
               .groups = shape.groups},
              source()),
        finish_(conv_finish_args(spec, shape)) {}

  Gemm::Source source() const {
    if (image_) return image_->source();
    // A field that is brought into form as a whole is gathered first.
    const int64_t field = quantised_ || to_operand_.needs_rows() ? field_bytes(shape_) : 0;
    const int64_t codes = quantised_ ? quantiser_.code_bytes(shape_.field() * shape_.group_in()) : 0;
    return {.in_place = in_place_, .temp_bytes = field + codes};
  }
  int64_t field_bytes(const ConvShape& shape) const { return shape.field() * shape.group_in() * element_bytes_; }

  Rows rows(const std::byte* x, int64_t group, int64_t first, int64_t count, const RowScratch& scratch) const noexcept {
    if (in_place_) return {x + first * shape_.in * element_bytes_, shape_.in};
    if (image_) return image_->rows(x, first, count, scratch);
    const int64_t k = shape_.field() * shape_.group_in();
    ConvPixel pixel(shape_, first);
    for (int64_t row = 0; row < count; ++row, pixel.advance()) {
      std::byte* to = scratch.rows + row * gemm_.row_stride() * operand_bytes_;
      if (to_operand_.needs_rows()) {
        gather_as_is(x, group, pixel, scratch.temp);
        to_operand_.rows(scratch.temp, k, 1, k, to, k, gemm_.padded(k));
        continue;
      }
      gather(x, group, pixel, to, operand_bytes_,
             [this](const std::byte* from, std::byte* out, int64_t n) { to_operand_(from, out, n); });
      std::memset(to + k * operand_bytes_, 0, static_cast<size_t>((gemm_.padded(k) - k) * operand_bytes_));
    }
    return {scratch.rows, gemm_.row_stride()};
  }

  // A receptive field is a row.
  Rows integer_rows(const std::byte* x, int64_t group, int64_t first, int64_t count,
                    const RowScratch& scratch) const noexcept {
    ConvPixel pixel(shape_, first);
    for (int64_t row = 0; row < count; ++row, pixel.advance()) {
      gather_as_is(x, group, pixel, scratch.temp);
      scratch.scales[row] = quantiser_(scratch.temp, scratch.rows + row * gemm_.row_stride() * operand_bytes_,
                                       shape_.field() * shape_.group_in(),
                                       reinterpret_cast<uint8_t*>(scratch.temp + field_bytes(shape_)));
    }
    return {scratch.rows, gemm_.row_stride(), scratch.scales, 1};
  }

  void gather_as_is(const std::byte* x, int64_t group, const ConvPixel& pixel, std::byte* to) const noexcept {
    gather(x, group, pixel, to, element_bytes_, [this](const std::byte* from, std::byte* out, int64_t n) {
      std::memcpy(out, from, static_cast<size_t>(n * element_bytes_));
    });
  }

  // The receptive field of one pixel of y, in the order of the weight: [kh][kw][channels of the group]. `put` brings
  // elements of x to where they belong, where one takes `to_bytes`.
  template <class Put>
  void gather(const std::byte* x, int64_t group, const ConvPixel& pixel, std::byte* to, int64_t to_bytes,
              const Put& put) const noexcept {
    const ConvShape& s = shape_;
    const int64_t left = pixel.left(), channels = s.group_in(), bytes = channels * to_bytes;
    const ConvShape::Taps taps = s.taps_inside(1, left);
    const std::byte* image = x + pixel.image() * s.height * s.width * s.in * element_bytes_;
    const auto zero = [&to, bytes](int64_t count) {
      if (count > 0) std::memset(to, 0, static_cast<size_t>(count * bytes));
      to += count * bytes;
    };
    for (int64_t i = 0; i < s.kernel[0]; ++i) {
      const int64_t row = pixel.top() + i * s.dilation[0];
      if (row < 0 || row >= s.height || taps.begin == taps.end) {
        zero(s.kernel[1]);
        continue;
      }
      zero(taps.begin);
      const std::byte* from =
          image + ((row * s.width + left + taps.begin * s.dilation[1]) * s.in + group * channels) * element_bytes_;
      if (s.dilation[1] == 1 && s.groups == 1) {  // neighbouring taps are neighbours in memory
        put(from, to, (taps.end - taps.begin) * channels);
        to += (taps.end - taps.begin) * bytes;
      } else {
        for (int64_t j = taps.begin; j < taps.end; ++j, to += bytes, from += s.dilation[1] * s.in * element_bytes_)
          put(from, to, channels);
      }
      zero(s.kernel[1] - taps.end);
    }
  }

  ConvShape shape_;
  ToOperand to_operand_;
  int64_t element_bytes_, operand_bytes_;
  RowQuantiser quantiser_;
  bool quantised_, in_place_, stores_;
  std::optional<ConvImage> image_;
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
