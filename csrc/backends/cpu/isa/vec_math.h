// Functions of registers, for loops that hold their values in them. The scalar twins in isa/simd.h say more.
#pragma once

#include "backends/cpu/isa/simd.h"

namespace yanrt::cpu::YANRT_ISA {

YANRT_INLINE Vec at_least(Vec x, float low) { return x < splat(low) ? splat(low) : x; }
YANRT_INLINE Vec at_most(Vec x, float high) { return x > splat(high) ? splat(high) : x; }

// 2^f for |f| <= 0.5; minimax polynomials of the relative error.
struct Exact {  // 2e-7 with the rounding of its steps
  static YANRT_INLINE Vec exp2(Vec f) {
    Vec p = splat(1.3276472e-3f);
    p = fma(p, f, splat(9.675541e-3f));
    p = fma(p, f, splat(5.550713e-2f));
    p = fma(p, f, splat(0.2402212f));
    p = fma(p, f, splat(0.69314694f));
    return fma(p, f, splat(1.0000001f));
  }
};
struct Coarse {  // 3e-6: for what is rounded to bf16
  static YANRT_INLINE Vec exp2(Vec f) {
    Vec p = splat(9.570102e-3f);
    p = fma(p, f, splat(5.591786e-2f));
    p = fma(p, f, splat(0.24024744f));
    p = fma(p, f, splat(0.6931218f));
    return fma(p, f, splat(0.9999993f));
  }
};

inline constexpr float kLog2E = 1.44269504f;

// 2^x for -126 <= x <= 127, with the error of `Accuracy`; elsewhere, unless it is NaN, any number.
template <class Accuracy>
YANRT_INLINE Vec exp2_in_range(Vec x) {
#if defined(__AVX512F__)
  const __m512 n = _mm512_maskz_roundscale_ps(0xffff, reinterpret_cast<__m512>(x), 8);  // to the nearest integer
  const Vec p = Accuracy::exp2(x - reinterpret_cast<Vec>(n));
  return reinterpret_cast<Vec>(_mm512_maskz_scalef_ps(0xffff, reinterpret_cast<__m512>(p), n));
#else
  constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer, kept in the low bits
  const Vec shifted = x + splat(kRound);
  const VecBits exponent = reinterpret_cast<VecBits>(shifted) - bits_of(kRound) + 127u;
  return Accuracy::exp2(x - (shifted - splat(kRound))) * reinterpret_cast<Vec>(exponent << 23);
#endif
}

// 2^x for x <= 0 (and up to 127), -infinity too; 0 where it would be below the smallest normal number.
template <class Accuracy>
YANRT_INLINE Vec exp2_of_nonpositive(Vec x) {
  return x < splat(-126.0f) ? Vec{} : exp2_in_range<Accuracy>(x);
}

// Within 1 ulp for normal numbers whose reciprocal is normal. A division of 16 lanes takes as long as 16 of the
// products.
YANRT_INLINE Vec reciprocal(Vec x) {
#if defined(__AVX512F__)
  const Vec r = reinterpret_cast<Vec>(_mm512_maskz_rcp14_ps(0xffff, reinterpret_cast<__m512>(x)));
  return fma(r, fma(-x, r, splat(1.0f)), r);
#else
  return splat(1.0f) / x;
#endif
}

// 1 / (1 + 2^-x), within 4 ulp for x >= -115; below that it stays at 2e-35.
YANRT_INLINE Vec sigmoid_of_log2(Vec x) {
  return reciprocal(splat(1.0f) + exp2_in_range<Exact>(at_most(at_least(-x, -126.0f), 115.0f)));
}
YANRT_INLINE Vec silu(Vec x) { return x * sigmoid_of_log2(x * splat(kLog2E)); }
YANRT_INLINE Vec gelu_tanh(Vec x) {
  return x * sigmoid_of_log2(splat(1.59576912f * kLog2E) * fma(splat(0.044715f) * x * x, x, x));
}
YANRT_INLINE Vec relu(Vec x) { return at_least(x, 0.0f); }

// Rows and columns of a square of words change places: of each pair of rows `distance` apart, every other run of
// `distance` words.
template <int kDistance>
YANRT_INLINE void swap_runs(VecInt (&rows)[kLanes]) {
  VecInt first, second;
  for (int i = 0; i < kLanes; ++i) {
    const bool upper = i & kDistance;
    first[i] = upper ? kLanes + i - kDistance : i;
    second[i] = upper ? kLanes + i : i + kDistance;
  }
  for (int i = 0; i < kLanes; ++i) {
    if (i & kDistance) continue;
    const VecInt a = rows[i], b = rows[i + kDistance];
    rows[i] = __builtin_shuffle(a, b, first);
    rows[i + kDistance] = __builtin_shuffle(a, b, second);
  }
}
YANRT_INLINE void transpose(VecInt (&rows)[kLanes]) {
#if defined(__AVX512F__)
  swap_runs<8>(rows);
#endif
#if defined(__AVX2__)
  swap_runs<4>(rows);
#endif
  swap_runs<2>(rows);
  swap_runs<1>(rows);
}

}  // namespace yanrt::cpu::YANRT_ISA
