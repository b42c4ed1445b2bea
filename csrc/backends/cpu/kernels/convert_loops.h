// Conversions between f32 and bf16, rounding to nearest even.
#pragma once

#include "backends/cpu/isa/simd.h"
#include "backends/cpu/kernels/gemm_args.h"

namespace yanrt::cpu::YANRT_ISA {

inline void f32_to_bf16(const float* __restrict x, uint16_t* __restrict y, size_t n) {
  for (size_t i = 0; i < n; ++i) y[i] = to_bf16(x[i]);
}
inline void bf16_to_f32(const uint16_t* __restrict x, float* __restrict y, size_t n) {
  for (size_t i = 0; i < n; ++i) y[i] = from_bf16(x[i]);
}
inline void round_to_bf16(const float* __restrict x, float* __restrict y, size_t n) {
  for (size_t i = 0; i < n; ++i) y[i] = from_bf16(to_bf16(x[i]));
}

inline constexpr ConvertLoops kConvertLoops = {f32_to_bf16, bf16_to_f32, round_to_bf16};

}  // namespace yanrt::cpu::YANRT_ISA
