// The end of every GEMM: scales, bias, activation, gate, residual, store.
#pragma once

#include "backends/cuda/kernels/functions.cuh"
#include "backends/cuda/kernels/gemm/gemm_args.h"

namespace yanrt::cuda {

__device__ __forceinline__ float finished(const Epilogue& e, float sum, uint32_t row, uint32_t column) {
  if (e.row_scale) sum *= e.row_scale[row];
  if (e.column_scale) sum *= e.column_scale[column];
  if (e.bias) sum += e.bias[column];
  sum = activate(e.act, sum);
  if (e.gate) sum *= e.gate[static_cast<size_t>(row / e.gate_rows % e.gate_count) * e.columns + column];
  if (e.residual) sum += e.residual[static_cast<size_t>(row) * e.columns + column];
  return sum;
}

__device__ __forceinline__ void finish_one(const Epilogue& e, float sum, uint32_t row, uint32_t column) {
  const float value = finished(e, sum, row, column);
  const size_t at = static_cast<size_t>(row) * e.columns + column;
  if (e.y_is_bf16) {
    static_cast<__nv_bfloat16*>(e.y)[at] = __float2bfloat16_rn(value);
  } else {
    static_cast<float*>(e.y)[at] = value;
  }
}

// Two neighbours as E4M3, rounded to bf16 first as if they had been stored. `column` is even.
__device__ __forceinline__ void store_e4m3(const Epilogue& e, float v0, float v1, uint32_t row, uint32_t column) {
  const uint32_t pair = pack_bf16(v0, v1);
  const float inverse = 1.0f / e.y_scale;
  static_cast<uint16_t*>(e.y)[(static_cast<size_t>(row) * e.columns + column) / 2] =
      pack_e4m3x2(bf16_low(pair) * inverse, bf16_high(pair) * inverse);
  if (column == 0) e.y_scales[row] = e.y_scale;
}

// Columns `column` and `column + 1`, of which only those below `end` exist. `kMayQuantise`: y may be E4M3, of a
// multiple of 16 columns.
template <bool kMayQuantise>
__device__ __forceinline__ void finish_pair(const Epilogue& e, float sum0, float sum1, uint32_t row, uint32_t column,
                                            uint32_t end) {
  if (column + 1 >= end || ((column | e.columns) & 1)) {
    if (column < end) finish_one(e, sum0, row, column);
    if (column + 1 < end) finish_one(e, sum1, row, column + 1);
    return;
  }
  const float v0 = finished(e, sum0, row, column), v1 = finished(e, sum1, row, column + 1);
  const size_t at = static_cast<size_t>(row) * e.columns + column;
  if (kMayQuantise && e.y_scales) {
    store_e4m3(e, v0, v1, row, column);
  } else if (e.y_is_bf16) {
    store32(static_cast<__nv_bfloat16*>(e.y) + at, pack_bf16(v0, v1));
  } else {
    store64(static_cast<float*>(e.y) + at, make_uint2(__float_as_uint(v0), __float_as_uint(v1)));
  }
}

}  // namespace yanrt::cuda
