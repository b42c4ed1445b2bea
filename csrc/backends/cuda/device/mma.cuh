// Tensor-core steps by architecture. The register layout of an E4M3 step is the same on every path, so that a kernel is
// written once and takes the path as a template parameter.
#pragma once

#include <cstdint>

#include "backends/cuda/device/convert.cuh"

namespace yanrt::cuda {

// How E4M3 products are formed. Chosen by the host from the compute capability; forced in tests.
enum class E4m3Path {
  native,   // mma.m16n8k32.e4m3: sm_89 and later
  widened,  // converted to f16 in registers, two f16 steps: every chip from sm_80 on
};

// d += a b as two f16 steps. A step of 32 holds k = 4 q + j (q = lane % 4) in byte j of a register; the f16 step wants
// pairs of k. A and B are permuted alike, and a sum over k does not mind the order of k.
__device__ __forceinline__ void mma_m16n8k32_e4m3_widened(float (&d)[4], const uint32_t (&a)[4], uint32_t b0,
                                                          uint32_t b1) {
  const uint32_t low[4] = {e4m3x2_to_f16x2(a[0]), e4m3x2_to_f16x2(a[1]), e4m3x2_to_f16x2(a[0] >> 16),
                           e4m3x2_to_f16x2(a[1] >> 16)};
  mma_m16n8k16_f16(d, low, e4m3x2_to_f16x2(b0), e4m3x2_to_f16x2(b0 >> 16));
  const uint32_t high[4] = {e4m3x2_to_f16x2(a[2]), e4m3x2_to_f16x2(a[3]), e4m3x2_to_f16x2(a[2] >> 16),
                            e4m3x2_to_f16x2(a[3] >> 16)};
  mma_m16n8k16_f16(d, high, e4m3x2_to_f16x2(b1), e4m3x2_to_f16x2(b1 >> 16));
}

template <E4m3Path kPath>
__device__ __forceinline__ void mma_e4m3(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
  if constexpr (kPath == E4m3Path::native) {
    mma_m16n8k32_e4m3(d, a, b0, b1);
  } else {
    mma_m16n8k32_e4m3_widened(d, a, b0, b1);
  }
}

}  // namespace yanrt::cuda
