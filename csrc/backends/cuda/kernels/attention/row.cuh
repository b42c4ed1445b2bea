// Rows of d elements in f32, bf16 or E4M3, read one by one or in chunks of eight as bf16.
#pragma once

#include "backends/cuda/device/device.cuh"
#include "core/dtype.h"

namespace yanrt::cuda {

struct Row {
  const std::byte* data;
  DType type;
  DType rounded_to;  // as the precision rounds it: its own type where it does not
  bool aligned;      // 8 elements can be read at once
};

__device__ __forceinline__ int64_t bytes_of(DType type) {
  return type == DType::f32 ? 4 : (type == DType::bf16 ? 2 : 1);
}

__device__ __forceinline__ float round_to(DType type, float value) {
  if (type == DType::bf16) return __bfloat162float(__float2bfloat16_rn(value));
  if (type == DType::f8e4m3) return e4m3_to_float(float_to_e4m3(value));
  return value;
}

__device__ __forceinline__ float element_of(const Row& row, uint32_t i) {
  float value;
  if (row.type == DType::f32) {
    value = reinterpret_cast<const float*>(row.data)[i];
  } else if (row.type == DType::bf16) {
    value = bf16_to_float(reinterpret_cast<const uint16_t*>(row.data)[i]);
  } else {
    value = e4m3_to_float(reinterpret_cast<const uint8_t*>(row.data)[i]);
  }
  return row.rounded_to == row.type ? value : round_to(row.rounded_to, value);
}

// Two E4M3 values as bf16 (exact).
__device__ __forceinline__ uint32_t e4m3x2_to_bf16x2(uint32_t pair) {
  return pack_bf16(e4m3_to_float(static_cast<uint8_t>(pair)), e4m3_to_float(static_cast<uint8_t>(pair >> 8)));
}

// Elements [8 c, 8 c + 8) as bf16; zeros from `d` on.
__device__ __forceinline__ uint4 chunk_of(const Row& row, uint32_t c, uint32_t d) {
  const uint32_t first = 8 * c;
  if (row.aligned && first + 8 <= d && row.type == row.rounded_to) {
    if (row.type == DType::bf16) return load128(row.data + first * 2);
    if (row.type == DType::f8e4m3) {
      const uint2 codes = load64(row.data + first);
      return make_uint4(e4m3x2_to_bf16x2(codes.x), e4m3x2_to_bf16x2(codes.x >> 16), e4m3x2_to_bf16x2(codes.y),
                        e4m3x2_to_bf16x2(codes.y >> 16));
    }
  }
  uint32_t packed[4];
#pragma unroll
  for (uint32_t i = 0; i < 4; ++i) {
    const uint32_t at = first + 2 * i;
    packed[i] = pack_bf16(at < d ? element_of(row, at) : 0.0f, at + 1 < d ? element_of(row, at + 1) : 0.0f);
  }
  return make_uint4(packed[0], packed[1], packed[2], packed[3]);
}

}  // namespace yanrt::cuda
