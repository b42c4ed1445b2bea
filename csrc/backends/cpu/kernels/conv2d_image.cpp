#include "backends/cpu/kernels/conv2d_image.h"

#include <algorithm>
#include <cstring>

#include "backends/cpu/cache_sizes.h"
#include "backends/cpu/kernels/rounding.h"

namespace yanrt::cpu {

bool ConvImage::suits(const ConvShape& shape, const TileLoop& tile) {
  const int64_t width = shape.out_width, filled = round_up(width, tile.rows);
  return shape.groups == 1 && shape.field() > 1 && shape.in % tile.depth == 0 && 4 * width >= 3 * filled;
}

ConvImage::ConvImage(const ConvShape& shape, const TileLoop& tile, const ToOperand& to_operand)
    : shape_(shape),
      to_operand_(to_operand),
      from_bytes_(static_cast<int64_t>(to_operand.from_size())),
      to_bytes_(static_cast<int64_t>(size_of(tile.a))),
      width_((shape.out_width - 1) * shape.stride[1] + (shape.kernel[1] - 1) * shape.dilation[1] + 1),
      block_rows_(1) {
  const auto room = static_cast<int64_t>(cache_sizes().level2 / 2);
  while (block_rows_ < shape.out_height && lines_for(block_rows_ + 1) * width_ * shape.in * to_bytes_ <= room)
    ++block_rows_;
  for (int64_t i = 0; i < shape.kernel[0]; ++i)
    for (int64_t j = 0; j < shape.kernel[1]; ++j)
      taps_.push_back((i * shape.dilation[0] * width_ + j * shape.dilation[1]) * shape.in);
}

// Of x, for so many rows of y.
int64_t ConvImage::lines_for(int64_t out_rows) const {
  return (out_rows - 1) * shape_.stride[0] + (shape_.kernel[0] - 1) * shape_.dilation[0] + 1;
}

Gemm::Source ConvImage::source() const {
  return {.in_place = false,
          .run = shape_.out_width,
          .image = shape_.out_height * shape_.out_width,
          .block_rows = block_rows_ * shape_.out_width,
          .rows_bytes = lines_for(block_rows_) * width_ * shape_.in * to_bytes_};
}

void ConvImage::bring_line(const std::byte* image, int64_t y, std::byte* to) const noexcept {
  const int64_t pixel = shape_.in * to_bytes_, left = shape_.padding[1];
  if (y < 0 || y >= shape_.height) {
    std::memset(to, 0, static_cast<size_t>(width_ * pixel));
    return;
  }
  const int64_t begin = std::min(left, width_), end = std::clamp(left + shape_.width, begin, width_);
  std::memset(to, 0, static_cast<size_t>(begin * pixel));
  to_operand_(image + y * shape_.width * shape_.in * from_bytes_, to + begin * pixel, (end - begin) * shape_.in);
  std::memset(to + end * pixel, 0, static_cast<size_t>((width_ - end) * pixel));
}

Rows ConvImage::rows(const std::byte* x, int64_t first, int64_t count, const RowScratch& scratch) const noexcept {
  const int64_t in_image = shape_.out_height * shape_.out_width;
  const std::byte* image = x + first / in_image * shape_.height * shape_.width * shape_.in * from_bytes_;
  const int64_t top = first % in_image / shape_.out_width * shape_.stride[0] - shape_.padding[0];
  const int64_t lines = lines_for(count / shape_.out_width), line = width_ * shape_.in;
  for (int64_t i = 0; i < lines; ++i) bring_line(image, top + i, scratch.rows + i * line * to_bytes_);
  return {.data = scratch.rows,
          .stride = shape_.stride[1] * shape_.in,
          .run = shape_.out_width,
          .run_stride = shape_.stride[0] * line,
          .stretches = &taps_};
}

}  // namespace yanrt::cpu
