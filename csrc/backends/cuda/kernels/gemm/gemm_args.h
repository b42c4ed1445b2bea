// What the GEMM kernels take. linear and conv2d differ in where a row of A comes from, and in nothing else.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

#include "backends/cuda/kernels/activation.h"

namespace yanrt::cuda {

// What becomes of the sums: y = residual + gate * act(sum * row_scale * column_scale + bias). A null operand is left
// out. Columns are those of all groups; gate, residual and y have `columns` of them in a row. With `y_scales`, which
// only the E4M3 GEMM knows, y is E4M3 with the one scale `y_scale`: a row's own would be known after its last column,
// which another block makes.
struct Epilogue {
  const float* row_scale;
  const float* column_scale;
  const float* bias;
  const float* gate;  // row r takes entry (r / gate_rows) % gate_count
  const float* residual;
  void* y;
  float* y_scales;  // [rows], written for those who read y
  float y_scale;
  uint32_t columns, gate_rows, gate_count;
  Activation act;
  bool y_is_bf16;
};

// Rows of memory: `data` 16-byte aligned, `stride` and `k_bytes` (of a row) multiples of 16 bytes. Rows of group g lie
// `group_stride` bytes times g further on.
struct DenseRows {
  const std::byte* data;
  int64_t stride;
  int64_t group_stride = 0;
};

// Row r is the receptive field of output pixel r: kh * kw taps of `tap_bytes`, a multiple of 16; what lies outside the
// picture is zero. x [batch, height, width, groups * tap].
struct ConvRows {
  const std::byte* x;
  int32_t height, width, out_height, out_width;
  int32_t kernel_width, stride_y, stride_x, pad_top, pad_left, dilation_y, dilation_x;
  uint32_t tap_bytes, pixel_bytes;
};

// sums = A B^T for each of `groups`: A [m, k], B [groups * n, k], in bytes of the operand type. The columns of the
// groups stand side by side in y [m, groups * n]; `stacked`, their rows one below the other in y [groups * m, n].
struct GemmShape {
  uint32_t m, n, groups;  // of one group
  uint32_t k_bytes;       // a multiple of 16; padding is zero on both sides
  const std::byte* b;     // 16-byte aligned, dense
  bool stacked = false;
};

enum class Tile : uint8_t { t64, t128 };

// bf16 in, f32 sums.
cudaError_t launch_gemm_bf16(Tile tile, const DenseRows& rows, const GemmShape& shape, const Epilogue& epilogue,
                             cudaStream_t stream);
cudaError_t launch_conv_bf16(Tile tile, const ConvRows& rows, const GemmShape& shape, const Epilogue& epilogue,
                             cudaStream_t stream);
// E4M3 in; sums leave the tensor core for f32 every 128 of k. `native`: the device has FP8 tensor cores for mma.sync.
cudaError_t launch_gemm_e4m3(bool native, Tile tile, const DenseRows& rows, const GemmShape& shape,
                             const Epilogue& epilogue, cudaStream_t stream);

// f32 throughout. Strides in elements; a row may have any stride, its elements are neighbours.
cudaError_t launch_gemm_f32(const DenseRows& rows, const GemmShape& shape, const Epilogue& epilogue,
                            cudaStream_t stream);
cudaError_t launch_conv_f32(const ConvRows& rows, const GemmShape& shape, const Epilogue& epilogue,
                            cudaStream_t stream);

}  // namespace yanrt::cuda
