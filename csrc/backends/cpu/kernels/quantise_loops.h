// Rows to int8 (core/tensor.h): scale = the peak, or the largest magnitude, / 127, code = x / scale rounded to nearest
// even, + 128. Maxima, one product and one rounding an element: every instruction set gives the same bits.
#pragma once

#include "backends/cpu/isa/simd.h"
#include "backends/cpu/kernels/gemm_args.h"

namespace yanrt::cpu::YANRT_ISA {

// The bits of bf16(x) in the upper half of a word.
YANRT_INLINE uint32_t bf16_bits(uint16_t x) { return static_cast<uint32_t>(x) << 16; }
YANRT_INLINE uint32_t bf16_bits(float x) { return static_cast<uint32_t>(to_bf16(x)) << 16; }

// Magnitudes order like their bits; infinity and NaN come last.
YANRT_INLINE int32_t magnitude_bits(uint32_t bits) { return static_cast<int32_t>(bits & 0x7fffffffu); }

constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer, kept in the low bits
constexpr int32_t kInfinityBits = 0x7f800000;

// A peak that is known needs one pass: NaNs, which must not become numbers, are looked for as it goes.
template <class T>
YANRT_INLINE float quantise_to_peak(const T* __restrict x, uint8_t* __restrict codes, size_t n, float peak) {
  const float inverse = 127.0f / peak;
  int32_t largest = 0;
  for (size_t i = 0; i < n; ++i) {
    const uint32_t bits = bf16_bits(x[i]);
    const int32_t magnitude = magnitude_bits(bits);
    largest = magnitude > largest ? magnitude : largest;
    float scaled = float_of(bits) * inverse;
    scaled = scaled > 127.0f ? 127.0f : scaled;
    scaled = scaled < -127.0f ? -127.0f : scaled;
    codes[i] = static_cast<uint8_t>(bits_of(scaled + kRound) + 128u);
  }
  return largest > kInfinityBits ? __builtin_nanf("") : peak / 127.0f;
}

template <class T>
YANRT_INLINE float quantise_row(const T* __restrict x, uint8_t* __restrict codes, size_t n, float peak) {
  if (peak > 0) return quantise_to_peak(x, codes, n, peak);
  int32_t largest = 0;
  for (size_t i = 0; i < n; ++i) {
    const int32_t magnitude = magnitude_bits(bf16_bits(x[i]));
    largest = magnitude > largest ? magnitude : largest;
  }
  if (largest == 0 || largest >= kInfinityBits) {
    for (size_t i = 0; i < n; ++i) codes[i] = 128;
    return largest == 0 ? 0.0f : __builtin_nanf("");
  }
  // A maximum below 2^-119 has a reciprocal beyond floats: such rows become zeros.
  const float high = float_of(static_cast<uint32_t>(largest));
  const float inverse = high < 2e-36f ? 0.0f : 127.0f / high;
  for (size_t i = 0; i < n; ++i) {
    const float rounded = float_of(bf16_bits(x[i])) * inverse + kRound;
    codes[i] = static_cast<uint8_t>(bits_of(rounded) + 128u);
  }
  return high / 127.0f;
}

inline float quantise_f32(const float* x, uint8_t* codes, size_t n, float peak) {
  return quantise_row(x, codes, n, peak);
}
inline float quantise_bf16(const uint16_t* x, uint8_t* codes, size_t n, float peak) {
  return quantise_row(x, codes, n, peak);
}
inline void widen_codes(const uint8_t* __restrict codes, int16_t* __restrict y, size_t n) {
  for (size_t i = 0; i < n; ++i) y[i] = static_cast<int16_t>(codes[i] - 128);
}

inline constexpr QuantiseLoops kQuantiseLoops = {quantise_f32, quantise_bf16, widen_codes};

}  // namespace yanrt::cpu::YANRT_ISA
