// The instructions of AVX-512, AVX512_VNNI, AVX512_BF16 and AVX-VNNI that the inner loops name, in plain C++ and AVX2:
// so that tests execute the very sources of those units on machines that lack them. A unit of this folder includes this
// first, then says which macros of the compiler its set would define.
//
// Vectors of 64 bytes are the compiler's own; it splits them. What this cannot show is how the compiler translates the
// real units, and speed.
#pragma once

#include <immintrin.h>

#include <cstdint>
#include <cstring>

#define YANRT_EMULATE static inline __attribute__((always_inline))

namespace yanrt::cpu::emulation {

template <class To, class From>
YANRT_EMULATE To as(const From& from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(&to, &from, sizeof(To));
  return to;
}

struct Halves {
  __m256i low, high;
};

YANRT_EMULATE __m512 set1_ps(float x) { return __m512{} + x; }
YANRT_EMULATE __m512i set1_epi32(int32_t x) {
  typedef int32_t Words __attribute__((vector_size(64)));
  return as<__m512i>(Words{} + x);
}
YANRT_EMULATE __m512i loadu_si512(const void* p) {
  __m512i v;
  std::memcpy(&v, p, sizeof(v));
  return v;
}
YANRT_EMULATE __m512 fmadd_ps(__m512 a, __m512 b, __m512 c) {
  const auto [a0, a1] = as<Halves>(a);
  const auto [b0, b1] = as<Halves>(b);
  const auto [c0, c1] = as<Halves>(c);
  const auto half = [](__m256i x, __m256i y, __m256i z) {
    return as<__m256i>(_mm256_fmadd_ps(as<__m256>(x), as<__m256>(y), as<__m256>(z)));
  };
  return as<__m512>(Halves{half(a0, b0, c0), half(a1, b1, c1)});
}
YANRT_EMULATE __m512i maskz_cvtepu16_epi32(uint16_t mask, __m256i x) {
  uint16_t from[16];
  uint32_t to[16];
  std::memcpy(from, &x, sizeof(from));
  for (int i = 0; i < 16; ++i) to[i] = mask >> i & 1 ? from[i] : 0;
  __m512i y;
  std::memcpy(&y, to, sizeof(y));
  return y;
}
YANRT_EMULATE __m512i madd_epi16(__m512i a, __m512i b) {
  const auto [a0, a1] = as<Halves>(a);
  const auto [b0, b1] = as<Halves>(b);
  return as<__m512i>(Halves{_mm256_madd_epi16(a0, b0), _mm256_madd_epi16(a1, b1)});
}

// sum += four products of an unsigned and a signed byte, in int32, without saturation; for vectors of `Words` words.
template <int kWords, class V>
YANRT_EMULATE V dot_bytes(V sum, V a, V b) {
  int32_t total[kWords];
  uint8_t x[4 * kWords];
  int8_t y[4 * kWords];
  std::memcpy(total, &sum, sizeof(sum));
  std::memcpy(x, &a, sizeof(a));
  std::memcpy(y, &b, sizeof(b));
  for (int i = 0; i < kWords; ++i) {
    int32_t products = 0;
    for (int j = 0; j < 4; ++j) products += x[4 * i + j] * y[4 * i + j];
    total[i] = static_cast<int32_t>(static_cast<uint32_t>(total[i]) + static_cast<uint32_t>(products));
  }
  std::memcpy(&sum, total, sizeof(sum));
  return sum;
}

// The processor adds the odd element's product first, and flushes subnormal operands and results.
YANRT_EMULATE float flushed(float x) { return __builtin_fabsf(x) < 0x1p-126f ? 0.0f * x : x; }
YANRT_EMULATE __m512 dpbf16_ps(__m512 sum, __m512bh a, __m512bh b) {
  float total[16];
  uint32_t x[16], y[16];
  std::memcpy(total, &sum, sizeof(sum));
  std::memcpy(x, &a, sizeof(a));
  std::memcpy(y, &b, sizeof(b));
  for (int i = 0; i < 16; ++i) {
    const float odd = flushed(as<float>(x[i] & 0xffff0000u)), even = flushed(as<float>(x[i] << 16));
    float t = flushed(__builtin_fmaf(odd, flushed(as<float>(y[i] & 0xffff0000u)), flushed(total[i])));
    total[i] = flushed(__builtin_fmaf(even, flushed(as<float>(y[i] << 16)), t));
  }
  std::memcpy(&sum, total, sizeof(sum));
  return sum;
}

YANRT_EMULATE __m512 maskz_rcp14_ps(uint16_t, __m512 x) { return (__m512{} + 1.0f) / x; }
YANRT_EMULATE __m512 maskz_roundscale_ps(uint16_t, __m512 x, int) {
  float lanes[16];
  std::memcpy(lanes, &x, sizeof(lanes));
  for (float& lane : lanes) lane = __builtin_roundevenf(lane);
  return as<__m512>(lanes);
}
YANRT_EMULATE __m512 maskz_scalef_ps(uint16_t, __m512 x, __m512 n) {
  float lanes[16], exponents[16];
  std::memcpy(lanes, &x, sizeof(lanes));
  std::memcpy(exponents, &n, sizeof(exponents));
  for (int i = 0; i < 16; ++i) {
    const bool is_nan = exponents[i] != exponents[i];
    lanes[i] = is_nan ? exponents[i] : __builtin_ldexpf(lanes[i], static_cast<int>(exponents[i]));
  }
  return as<__m512>(lanes);
}
YANRT_EMULATE void bf16_of(__m512 x, uint16_t* halves) {
  uint32_t bits[16];
  std::memcpy(bits, &x, sizeof(bits));
  for (int i = 0; i < 16; ++i) {
    if ((bits[i] & 0x7f800000u) == 0) bits[i] &= 0x80000000u;
    const bool is_nan = (bits[i] & 0x7fffffffu) > 0x7f800000u;
    halves[i] = static_cast<uint16_t>((is_nan ? bits[i] | 0x400000u : bits[i] + 0x7fffu + (bits[i] >> 16 & 1)) >> 16);
  }
}
YANRT_EMULATE __m256i cvtneps_pbh(__m512 x) {
  uint16_t halves[16];
  bf16_of(x, halves);
  return as<__m256i>(halves);
}
YANRT_EMULATE __m512i cvtne2ps_pbh(__m512 upper, __m512 lower) {
  uint16_t halves[32];
  bf16_of(lower, halves);
  bf16_of(upper, halves + 16);
  return as<__m512i>(halves);
}

}  // namespace yanrt::cpu::emulation

#define _mm512_set1_ps ::yanrt::cpu::emulation::set1_ps
#define _mm512_set1_epi32 ::yanrt::cpu::emulation::set1_epi32
#define _mm512_loadu_si512 ::yanrt::cpu::emulation::loadu_si512
#define _mm512_fmadd_ps ::yanrt::cpu::emulation::fmadd_ps
#define _mm512_maskz_cvtepu16_epi32 ::yanrt::cpu::emulation::maskz_cvtepu16_epi32
#define _mm512_madd_epi16 ::yanrt::cpu::emulation::madd_epi16
#define _mm512_dpbusd_epi32 ::yanrt::cpu::emulation::dot_bytes<16>
#define _mm256_dpbusd_avx_epi32 ::yanrt::cpu::emulation::dot_bytes<8>
#define _mm512_maskz_rcp14_ps ::yanrt::cpu::emulation::maskz_rcp14_ps
#undef _mm512_maskz_roundscale_ps
#define _mm512_maskz_roundscale_ps ::yanrt::cpu::emulation::maskz_roundscale_ps
#define _mm512_maskz_scalef_ps ::yanrt::cpu::emulation::maskz_scalef_ps
#define _mm512_cvtne2ps_pbh ::yanrt::cpu::emulation::cvtne2ps_pbh
#define _mm512_cvtneps_pbh ::yanrt::cpu::emulation::cvtneps_pbh
#define _mm512_dpbf16_ps ::yanrt::cpu::emulation::dpbf16_ps
