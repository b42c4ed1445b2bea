// One tap of a depthwise convolution: sums[c] += x[c] * w[c] over n channels. Three forms of x: f32; bf16; f32 that the
// bf16 precision rounds first.
#pragma once

#include "backends/cpu/isa/simd.h"
#include "backends/cpu/kernels/gemm_args.h"

namespace yanrt::cpu::YANRT_ISA {

inline void tap_f32(const void* x, const float* __restrict w, float* __restrict sums, int64_t n) {
  const float* __restrict from = static_cast<const float*>(x);
  for (int64_t c = 0; c < n; ++c) sums[c] = fma(from[c], w[c], sums[c]);
}
inline void tap_bf16(const void* x, const float* __restrict w, float* __restrict sums, int64_t n) {
  const uint16_t* __restrict from = static_cast<const uint16_t*>(x);
  for (int64_t c = 0; c < n; ++c) sums[c] = fma(from_bf16(from[c]), w[c], sums[c]);
}
inline void tap_rounded(const void* x, const float* __restrict w, float* __restrict sums, int64_t n) {
  const float* __restrict from = static_cast<const float*>(x);
  for (int64_t c = 0; c < n; ++c) sums[c] = fma(from_bf16(to_bf16(from[c])), w[c], sums[c]);
}

inline constexpr DepthwiseLoops kDepthwiseLoops = {tap_f32, tap_bf16, tap_rounded};

}  // namespace yanrt::cpu::YANRT_ISA
