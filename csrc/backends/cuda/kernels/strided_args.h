// What the kernels that move data take; see kernels/strided.h.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

#include "core/shape.h"

namespace yanrt::cuda {

// How one element becomes another. The plain ones are named by their bytes.
enum class CopyForm : uint8_t { b1, b2, b4, b8, b16, f32_to_bf16, bf16_to_f32 };

// y[i] = x[i] over `numel` elements of the row-major order of `shape`; strides in elements of either side.
struct CopyArgs {
  const std::byte* x;
  std::byte* y;
  uint32_t numel;
  int rank;
  uint32_t shape[kMaxRank];
  int64_t x_strides[kMaxRank], y_strides[kMaxRank];
};
cudaError_t launch_copy(CopyForm form, const CopyArgs& args, cudaStream_t stream);

// y, dense, is x inside a border of `value` (the bits of one element). `before`: the border's width on the low side.
struct PadArgs {
  const std::byte* x;
  std::byte* y;
  uint32_t numel;  // of y
  int rank;
  uint32_t shape[kMaxRank];  // of y
  uint32_t x_shape[kMaxRank];
  int64_t before[kMaxRank];
  int64_t x_strides[kMaxRank];
  uint64_t value;
};
// `bytes` of an element: 1, 2, 4 or 8.
cudaError_t launch_pad(int bytes, const PadArgs& args, cudaStream_t stream);

// y[row, :] = table[clamp(index[row]), :], rows of `row_units` units of `bytes` (1, 2, 4, 8 or 16).
struct GatherArgs {
  const std::byte* table;
  const int64_t* index;
  std::byte* y;
  int64_t entries;
  uint32_t rows, row_units;
};
cudaError_t launch_gather(int bytes, const GatherArgs& args, cudaStream_t stream);

}  // namespace yanrt::cuda
