// Small helpers of the inner loops. Included only by the units in isa/, inside which every function is compiled anew
// with the flags of one instruction set; YANRT_ISA names the namespace, so that the linker can never mix the versions.
//
// The scalar functions have no branches and no calls: a plain loop over them vectorises to the unit's full width. `Vec`
// is one register, for code that must fix the order of a sum or hold a tile. The units are compiled with
// -ffp-contract=off; a multiply-add is fused where `fma` says so and nowhere else, so an element has the same bits in a
// loop's body and tail.
#pragma once

#include <cstddef>
#include <cstdint>
#if defined(__SSE2__)
#include <immintrin.h>
#endif

#ifndef YANRT_ISA
#error "isa/simd.h belongs to the units of isa/, which define YANRT_ISA"
#endif
#define YANRT_INLINE inline __attribute__((always_inline))

namespace yanrt::cpu::YANRT_ISA {

// ---- bits
// ------------------------------------------------------------------------------------------------------------
YANRT_INLINE uint32_t bits_of(float x) { return __builtin_bit_cast(uint32_t, x); }
YANRT_INLINE float float_of(uint32_t bits) { return __builtin_bit_cast(float, bits); }

YANRT_INLINE float from_bf16(uint16_t x) { return float_of(static_cast<uint32_t>(x) << 16); }

// Round to nearest even; NaN stays a quiet NaN, subnormals are kept. Integer arithmetic, so that every instruction set
// gives the same bits (the conversion of AVX512_BF16 flushes subnormals).
YANRT_INLINE uint16_t to_bf16(float x) {
  const uint32_t bits = bits_of(x);
  const uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  const uint32_t quiet = (bits >> 16) | 0x40u;
  return static_cast<uint16_t>((bits & 0x7fffffffu) > 0x7f800000u ? quiet : rounded);
}

// E4M3 (core/bf16.h) of a number: the package's reader lets no NaN code reach a kernel. Its exponent and mantissa are
// put where those of f32 are; 2^120 makes up for the difference of the biases, for subnormals too.
YANRT_INLINE float from_f8(uint8_t x) {
  const uint32_t magnitude = static_cast<uint32_t>(x & 0x7f) << 20, sign = static_cast<uint32_t>(x & 0x80) << 24;
  return float_of(magnitude | sign) * 0x1p120f;
}

// What any aligned or unaligned place in memory holds, as a T.
template <class T>
YANRT_INLINE T load_bits(const void* p) {
  T bits;
  __builtin_memcpy(&bits, p, sizeof(T));
  return bits;
}

// ---- scalar math; errors are the largest seen against float64
// ----------------------------------------------------------
#if defined(__FMA__)
YANRT_INLINE float fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
#else
YANRT_INLINE float fma(float a, float b, float c) { return a * b + c; }
#endif

YANRT_INLINE float abs_of(float x) { return float_of(bits_of(x) & 0x7fffffffu); }
YANRT_INLINE float with_sign_of(float magnitude, float sign) {
  return float_of((bits_of(magnitude) & 0x7fffffffu) | (bits_of(sign) & 0x80000000u));
}

// e^x within 1 ulp: x = n ln2 + r, |r| <= ln2 / 2; 2^n in two factors, so that overflow gives infinity
// and the results below 2^-126 are subnormal.
YANRT_INLINE float exp(float x) {
  constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer, kept in the low bits
  x = x > 89.0f ? 89.0f : x;
  x = x < -104.0f ? -104.0f : x;
  const float shifted = fma(x, 1.44269504f, kRound);
  const float n = shifted - kRound;
  const int32_t exponent = static_cast<int32_t>(bits_of(shifted) - bits_of(kRound));
  float r = fma(n, -0.693359375f, x);  // ln2 = 0.693359375 - 2.12194440e-4; the first product is exact
  r = fma(n, 2.12194440e-4f, r);
  float p = 0.0013814599f;
  p = fma(p, r, 0.008368717f);
  p = fma(p, r, 0.04166839f);
  p = fma(p, r, 0.16666521f);
  p = fma(p, r, 0.49999994f);
  p = fma(p, r * r, r) + 1.0f;
  const int32_t half = exponent >> 1;
  const float scale_1 = float_of(static_cast<uint32_t>(half + 127) << 23);
  const float scale_2 = float_of(static_cast<uint32_t>(exponent - half + 127) << 23);
  return p * scale_1 * scale_2;
}

// Within 2.5 ulp where it is a normal number.
YANRT_INLINE float sigmoid(float x) { return 1.0f / (1.0f + exp(-x)); }

// Within 1.5 ulp: an odd polynomial near zero, where 1 - 2 / (e^2|x| + 1) would cancel.
YANRT_INLINE float tanh(float x) {
  const float s = x * x;
  float p = -0.0057049864f;
  p = fma(p, s, 0.020639086f);
  p = fma(p, s, -0.053739715f);
  p = fma(p, s, 0.13331442f);
  p = fma(p, s, -0.3333328f);
  const float small = fma(p * s, x, x);
  const float large = with_sign_of(1.0f - 2.0f / (exp(2.0f * abs_of(x)) + 1.0f), x);
  return abs_of(x) < 0.625f ? small : large;
}

// Within 1.5 ulp: an odd polynomial below 0.92, above it 1 - e^P(|x|) with P a fit of log(erfc).
YANRT_INLINE float erf(float x) {
  const float s = x * x;
  float p = 8.382391e-05f;
  p = fma(p, s, -0.00081455975f);
  p = fma(p, s, 0.005201286f);
  p = fma(p, s, -0.0268595f);
  p = fma(p, s, 0.11283697f);
  p = fma(p, s, -0.37612635f);
  p = fma(p, s, 0.1283791670955126f);  // 2 / sqrt(pi) - 1
  const float small = fma(p, x, x);
  const float magnitude = abs_of(x);
  const float t = magnitude > 4.0f ? 4.0f : magnitude;
  float q = 0.0001959373f;
  q = fma(q, t, -0.003043218f);
  q = fma(q, t, 0.022226922f);
  q = fma(q, t, -0.1039316f);
  q = fma(q, t, -0.63718224f);
  q = fma(q, t, -1.1276757f);
  q = fma(q, t, -0.00019567493f);
  const float large = with_sign_of(1.0f - exp(q), x);
  return magnitude < 0.92f ? small : large;
}

// The gelus are within 1.5 * 2^-23 * max(1, |x|): where 1 + erf cancels the error is absolute, as in the usual formula.
YANRT_INLINE float gelu(float x) { return 0.5f * x * (1.0f + erf(0.707106781f * x)); }
// x sigmoid(2 sqrt(2/pi) (x + 0.044715 x^3)) is 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))).
YANRT_INLINE float gelu_tanh(float x) {
  const float inner = 1.59576912f * fma(0.044715f * x * x, x, x);
  return x * sigmoid(inner);
}
// Within 3 ulp.
YANRT_INLINE float silu(float x) { return x * sigmoid(x); }
YANRT_INLINE float relu(float x) { return x > 0.0f ? x : x != x ? x : 0.0f; }

// ---- Vec: one register of f32
// ------------------------------------------------------------------------------------------
#if defined(__AVX512F__)
inline constexpr int kLanes = 16;
#elif defined(__AVX2__)
inline constexpr int kLanes = 8;
#else
inline constexpr int kLanes = 4;
#endif
// + - * / and comparisons are the compiler's own for vector types.
typedef float Vec __attribute__((vector_size(4 * kLanes)));
typedef float UnalignedVec __attribute__((vector_size(4 * kLanes), aligned(4), may_alias));
typedef uint32_t VecBits __attribute__((vector_size(4 * kLanes)));
typedef int32_t VecInt __attribute__((vector_size(4 * kLanes)));
typedef int32_t UnalignedVecInt __attribute__((vector_size(4 * kLanes), aligned(1), may_alias));
typedef uint16_t VecWords __attribute__((vector_size(64)));
typedef uint16_t UnalignedHalfVec __attribute__((vector_size(2 * kLanes), aligned(2), may_alias));

YANRT_INLINE Vec load(const float* p) { return *reinterpret_cast<const UnalignedVec*>(p); }
YANRT_INLINE void store(float* p, Vec v) { *reinterpret_cast<UnalignedVec*>(p) = v; }
YANRT_INLINE Vec splat(float x) {
#if defined(__AVX512F__)
  return reinterpret_cast<Vec>(_mm512_set1_ps(x));
#elif defined(__AVX2__)
  return reinterpret_cast<Vec>(_mm256_set1_ps(x));
#else
  return Vec{x, x, x, x};
#endif
}

YANRT_INLINE VecInt load_int(const void* p) { return *static_cast<const UnalignedVecInt*>(p); }
YANRT_INLINE VecInt splat_int(int32_t x) { return VecInt{} + x; }

YANRT_INLINE Vec fma(Vec a, Vec b, Vec c) {
#if defined(__AVX512F__)
  return reinterpret_cast<Vec>(
      _mm512_fmadd_ps(reinterpret_cast<__m512>(a), reinterpret_cast<__m512>(b), reinterpret_cast<__m512>(c)));
#elif defined(__FMA__)
  return reinterpret_cast<Vec>(
      _mm256_fmadd_ps(reinterpret_cast<__m256>(a), reinterpret_cast<__m256>(b), reinterpret_cast<__m256>(c)));
#else
  return a * b + c;
#endif
}

// kLanes bf16 numbers, widened.
YANRT_INLINE Vec load(const uint16_t* p) {
#if defined(__AVX512F__)
  const __m256i half = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  const __m512i wide = _mm512_maskz_cvtepu16_epi32(0xffff, half);  // maskz: the plain one makes g++ 12 warn
  return reinterpret_cast<Vec>(reinterpret_cast<VecBits>(wide) << 16);
#elif defined(__AVX2__)
  const __m128i half = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  return reinterpret_cast<Vec>(_mm256_slli_epi32(_mm256_cvtepu16_epi32(half), 16));
#else
  const UnalignedHalfVec half = *reinterpret_cast<const UnalignedHalfVec*>(p);
  return reinterpret_cast<Vec>(__builtin_convertvector(half, VecBits) << 16);
#endif
}

// kF8Step E4M3 numbers as f32. As f16 they differ by the bias of the exponent alone, and the processor widens f16,
// subnormals too, at full speed.
inline constexpr int kF8Step = 16;
YANRT_INLINE void f8_to_f32(const uint8_t* x, float* y) {
#if defined(__F16C__) && defined(__AVX2__)
  const __m256i wide = _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(x)));
  const __m256i sign = _mm256_slli_epi16(_mm256_and_si256(wide, _mm256_set1_epi16(0x80)), 8);
  const __m256i half = _mm256_or_si256(sign, _mm256_slli_epi16(_mm256_and_si256(wide, _mm256_set1_epi16(0x7f)), 7));
  const __m256 bias = _mm256_set1_ps(256.0f);
  _mm256_storeu_ps(y, _mm256_mul_ps(_mm256_cvtph_ps(_mm256_castsi256_si128(half)), bias));
  _mm256_storeu_ps(y + 8, _mm256_mul_ps(_mm256_cvtph_ps(_mm256_extracti128_si256(half, 1)), bias));
#else
  for (int i = 0; i < kF8Step; ++i) y[i] = from_f8(x[i]);
#endif
}

// kF8Words E4M3 numbers as bf16: the exponent's bias grows by 120; the seven subnormals are looked up.
inline constexpr int kF8Words = 32;
YANRT_INLINE void f8_to_bf16(const uint8_t* x, uint16_t* y) {
  typedef uint8_t Bytes __attribute__((vector_size(32)));
  Bytes bytes;
  __builtin_memcpy(&bytes, x, sizeof(bytes));
  const VecWords wide = __builtin_convertvector(bytes, VecWords), magnitude = wide & 0x7f;
  constexpr VecWords kSubnormal = {0, 0x3b00, 0x3b80, 0x3bc0, 0x3c00, 0x3c20, 0x3c40, 0x3c60};  // i * 2^-9
  const VecWords small = __builtin_shuffle(kSubnormal, magnitude & 7), normal = (magnitude << 4) + (120 << 7);
  const VecWords chosen = magnitude < 8 ? small : normal;
  const VecWords result = chosen | ((wide & 0x80) << 8);
  __builtin_memcpy(y, &result, sizeof(result));
}

// Rounded to bf16, as to_bf16 does it.
YANRT_INLINE void store(uint16_t* p, Vec v) {
  const VecBits bits = reinterpret_cast<VecBits>(v), high = bits >> 16;
  const VecBits rounded = (bits + 0x7fffu + (high & 1u)) >> 16;
  const VecInt is_nan = reinterpret_cast<VecInt>(bits & 0x7fffffffu) > 0x7f800000;
  const VecBits chosen = is_nan ? high | 0x40u : rounded;
#if defined(__AVX2__) && !defined(__AVX512F__)
  const __m256i words = reinterpret_cast<__m256i>(chosen);
  const __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(words, words), 0xd8);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_castsi256_si128(packed));
#else
  *reinterpret_cast<UnalignedHalfVec*>(p) = __builtin_convertvector(chosen, UnalignedHalfVec);
#endif
}

// x after rounding to bf16, for numbers that are no NaN (whose bits it may change into another number's).
YANRT_INLINE VecBits bf16_in_upper_half(Vec v) {
  const VecBits bits = reinterpret_cast<VecBits>(v);
  return bits + 0x7fffu + ((bits >> 16) & 1u);
}
YANRT_INLINE Vec rounded_to_bf16(Vec v) { return reinterpret_cast<Vec>(bf16_in_upper_half(v) & 0xffff0000u); }
// bf16 pairs: p[2 i] of even, p[2 i + 1] of odd. As above.
YANRT_INLINE void store_pairs(uint16_t* p, Vec even, Vec odd) {
#if defined(__AVX512BF16__)  // it turns subnormals into zeros
  const auto halves =
      reinterpret_cast<VecWords>(_mm512_cvtne2ps_pbh(reinterpret_cast<__m512>(odd), reinterpret_cast<__m512>(even)));
  constexpr VecWords kInterleaved = {0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
                                     8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
  const VecWords words = __builtin_shuffle(halves, kInterleaved);
  __builtin_memcpy(p, &words, sizeof(words));
#else
  const VecBits words = (bf16_in_upper_half(even) >> 16) | (bf16_in_upper_half(odd) & 0xffff0000u);
  store(reinterpret_cast<float*>(p), reinterpret_cast<Vec>(words));
#endif
}

// The sum of the lanes: halves are added until one lane is left.
YANRT_INLINE float sum_of(Vec v) {
#if defined(__AVX2__) && !defined(__AVX512F__)
  const auto wide = reinterpret_cast<__m256>(v);
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(wide), _mm256_extractf128_ps(wide, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
#else
  float lanes[kLanes];
  store(lanes, v);
  for (int width = kLanes / 2; width > 0; width /= 2)
    for (int i = 0; i < width; ++i) lanes[i] += lanes[i + width];
  return lanes[0];
#endif
}

YANRT_INLINE float max_of(Vec v) {
  float lanes[kLanes];
  store(lanes, v);
  for (int width = kLanes / 2; width > 0; width /= 2)
    for (int i = 0; i < width; ++i) lanes[i] = lanes[i] > lanes[i + width] ? lanes[i] : lanes[i + width];
  return lanes[0];
}

}  // namespace yanrt::cpu::YANRT_ISA
