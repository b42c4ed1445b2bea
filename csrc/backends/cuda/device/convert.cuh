// Conversions between f32 and the packed 16- and 8-bit forms that registers, fragments and stores use.
#pragma once

#include <cstdint>

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_fp8.h>

namespace yanrt::cuda {

inline constexpr float kE4m3Max = 448.0f;

__device__ __forceinline__ float bf16_to_float(uint16_t bits) {
  return __uint_as_float(static_cast<uint32_t>(bits) << 16);
}
__device__ __forceinline__ float bf16_low(uint32_t pair) { return __uint_as_float(pair << 16); }
__device__ __forceinline__ float bf16_high(uint32_t pair) { return __uint_as_float(pair & 0xffff0000u); }

// Two values, rounded to nearest even; `low` in the low half.
__device__ __forceinline__ uint32_t pack_bf16(float low, float high) {
  const __nv_bfloat16_raw l = __float2bfloat16_rn(low), h = __float2bfloat16_rn(high);
  return l.x | static_cast<uint32_t>(h.x) << 16;
}

// Values as E4M3 in the order of memory, rounded to nearest even, saturated at +-448.
__device__ __forceinline__ uint16_t pack_e4m3x2(float v0, float v1) {
  return __nv_cvt_float2_to_fp8x2(make_float2(v0, v1), __NV_SATFINITE, __NV_E4M3);
}
__device__ __forceinline__ uint32_t pack_e4m3(float v0, float v1, float v2, float v3) {
  return pack_e4m3x2(v0, v1) | static_cast<uint32_t>(pack_e4m3x2(v2, v3)) << 16;
}
__device__ __forceinline__ uint8_t float_to_e4m3(float value) {
  return __nv_cvt_float_to_fp8(value, __NV_SATFINITE, __NV_E4M3);
}

// Two E4M3 values as two f16 (exact: every E4M3 value is one), low in the low half.
__device__ __forceinline__ uint32_t e4m3x2_to_f16x2(uint32_t pair) {
  const __half2_raw h = __nv_cvt_fp8x2_to_halfraw2(static_cast<__nv_fp8x2_storage_t>(pair & 0xffffu), __NV_E4M3);
  return h.x | static_cast<uint32_t>(h.y) << 16;
}
__device__ __forceinline__ float e4m3_to_float(uint8_t bits) {
  const __half_raw h = __nv_cvt_fp8_to_halfraw(bits, __NV_E4M3);
  return __half2float(__half(h));
}

}  // namespace yanrt::cuda
