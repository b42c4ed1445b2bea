// Where 16 bytes of a row of A come from. A cursor stands on one row; `at` gives the address of bytes [k, k + 16) of
// it, or null where they are zero.
#pragma once

#include "backends/cuda/device/device.cuh"
#include "backends/cuda/kernels/gemm/gemm_args.h"

namespace yanrt::cuda {

struct DenseCursor {
  const std::byte* row;  // null past the last row

  __device__ DenseCursor(const DenseRows& rows, uint32_t r, uint32_t m, uint32_t group)
      : row(r < m ? rows.data + group * rows.group_stride + r * rows.stride : nullptr) {}
  __device__ const std::byte* at(const DenseRows&, uint32_t k) const { return row ? row + k : nullptr; }
};

struct ConvCursor {
  const std::byte* picture;  // of this row's batch entry and group; null past the last row
  int32_t top, left;         // of the receptive field; may lie outside

  __device__ ConvCursor(const ConvRows& rows, uint32_t r, uint32_t m, uint32_t group)
      : picture(nullptr), top(0), left(0) {
    if (r >= m) return;
    const auto pixels = static_cast<uint32_t>(rows.out_height * rows.out_width);
    const uint32_t entry = r / pixels, pixel = r % pixels;
    const auto width = static_cast<uint32_t>(rows.out_width);
    top = static_cast<int32_t>(pixel / width) * rows.stride_y - rows.pad_top;
    left = static_cast<int32_t>(pixel % width) * rows.stride_x - rows.pad_left;
    picture = rows.x + static_cast<int64_t>(entry) * rows.height * rows.width * rows.pixel_bytes +
              static_cast<int64_t>(group) * rows.tap_bytes;
  }
  __device__ const std::byte* at(const ConvRows& rows, uint32_t k) const {
    const auto tap = static_cast<int32_t>(k / rows.tap_bytes);
    const uint32_t within = k % rows.tap_bytes;
    const int32_t y = top + tap / rows.kernel_width * rows.dilation_y;
    const int32_t x = left + tap % rows.kernel_width * rows.dilation_x;
    if (!picture || y < 0 || y >= rows.height || x < 0 || x >= rows.width) return nullptr;
    return picture + (static_cast<int64_t>(y) * rows.width + x) * rows.pixel_bytes + within;
  }
};

template <class Rows>
struct CursorOf;
template <>
struct CursorOf<DenseRows> {
  using type = DenseCursor;
};
template <>
struct CursorOf<ConvRows> {
  using type = ConvCursor;
};

}  // namespace yanrt::cuda
