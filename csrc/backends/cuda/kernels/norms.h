// What the norms take.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

#include "backends/cuda/kernels/activation.h"

namespace yanrt::cuda {

// y = (x - mean) * rsqrt(var + eps) * scale + shift over each row; row r takes entry (r / group_rows) % groups of scale
// and shift [groups, d], which may be null. `centred` false (rms_norm): the mean is taken to be 0.
struct RowNormArgs {
  const std::byte* x;
  const float* scale;
  const float* shift;
  std::byte* y;
  float* row_scales;  // not null: y is E4M3, a scale a row
  float peak;         // of E4M3: the magnitude that becomes 448, to which larger ones are cut; 0: each row's own
  int64_t x_stride;   // elements
  uint32_t rows, d, group_rows, scale_groups, shift_groups;
  float eps;
  bool x_is_bf16, y_is_bf16, centred;
};
cudaError_t launch_row_norm(const RowNormArgs& args, cudaStream_t stream);

// Statistics over `pixels` and the channels of a group. Two kernels: each of `chunks` blocks a group finds mean and sum
// of squared deviations of its pixels; the second merges them, in order, and normalises.
struct GroupNormArgs {
  const std::byte* x;  // [batch, pixels, channels]
  const float* scale;  // [channels], or null
  const float* shift;
  std::byte* y;
  float* partial;  // [batch, groups, chunks, 2]
  uint32_t batch, pixels, channels, groups, chunks, chunk_pixels;
  float eps;
  Activation act;
  bool x_is_bf16, y_is_bf16;
};
cudaError_t launch_group_norm(const GroupNormArgs& args, cudaStream_t stream);

}  // namespace yanrt::cuda
