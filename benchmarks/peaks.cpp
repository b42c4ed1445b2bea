#include "peaks.h"

#include <immintrin.h>

#include <algorithm>
#include <ctime>
#include <vector>

namespace yanrt::cpu::bench {

double processor_seconds() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

namespace {

// ---- peaks: enough independent chains to fill the units
// ----------------------------------------------------------------
constexpr int kSteps = 50000;

__attribute__((target("avx2,fma"))) void chains_avx2() {
  __m256 sum[12] = {};
  const __m256 x = _mm256_set1_ps(0.999f);
  for (int i = 0; i < kSteps; ++i) {
#pragma GCC unroll 12
    for (int j = 0; j < 12; ++j) {
      sum[j] = _mm256_fmadd_ps(sum[j], x, x);
      asm volatile("" : "+v"(sum[j]));
    }
  }
}
__attribute__((target("avx512f"))) void chains_avx512() {
  __m512 sum[24] = {};
  const __m512 x = _mm512_set1_ps(0.999f);
  for (int i = 0; i < kSteps; ++i) {
#pragma GCC unroll 24
    for (int j = 0; j < 24; ++j) {
      sum[j] = _mm512_fmadd_ps(sum[j], x, x);
      asm volatile("" : "+v"(sum[j]));
    }
  }
}
__attribute__((target("avx512f,avx512bf16"))) void chains_bf16() {
  __m512 sum[24] = {};
  __m512i bits = _mm512_set1_epi32(0x3f003f00);
  for (int i = 0; i < kSteps; ++i) {
#pragma GCC unroll 24
    for (int j = 0; j < 24; ++j) {
      sum[j] = _mm512_dpbf16_ps(sum[j], reinterpret_cast<__m512bh>(bits), reinterpret_cast<__m512bh>(bits));
      asm volatile("" : "+v"(sum[j]));
    }
  }
}

// The instruction pair of int8 without VNNI: 16 products of 16 bits, summed in pairs, then added.
__attribute__((target("avx2"))) void chains_int16() {
  __m256i sum[12] = {};
  const __m256i x = _mm256_set1_epi16(3);
  for (int i = 0; i < kSteps; ++i) {
#pragma GCC unroll 12
    for (int j = 0; j < 12; ++j) {
      __m256i y = x;
      asm volatile("" : "+v"(y));
      sum[j] = _mm256_add_epi32(sum[j], _mm256_madd_epi16(y, x));
      asm volatile("" : "+v"(sum[j]));
    }
  }
}
__attribute__((target("avx512f,avx512vnni"))) void chains_vnni() {
  __m512i sum[24] = {};
  const __m512i x = _mm512_set1_epi32(0x01010101);
  for (int i = 0; i < kSteps; ++i) {
#pragma GCC unroll 24
    for (int j = 0; j < 24; ++j) {
      sum[j] = _mm512_dpbusd_epi32(sum[j], x, x);
      asm volatile("" : "+v"(sum[j]));
    }
  }
}

struct Chains {
  void (*run)();
  double products;  // a step
};
Chains chains_for(Isa isa, Precision precision) {
  const bool wide = isa >= Isa::avx512;
  if (precision == Precision::int8)
    return isa == Isa::avx512_vnni || isa == Isa::avx512_bf16 ? Chains{chains_vnni, 24 * 64}
                                                              : Chains{chains_int16, 12 * 16};
  if (isa == Isa::avx512_bf16 && precision != Precision::fp32) return {chains_bf16, 24 * 32};
  return wide ? Chains{chains_avx512, 24 * 16} : Chains{chains_avx2, 12 * 8};
}

}  // namespace

// A product and its addition count as two operations.
double peak_flops(Isa isa, Precision precision) {
  const auto [run, products] = chains_for(isa, precision);
  const double work = 2.0 * kSteps * products;
  double best = 1e9;
  for (int i = 0; i < 20; ++i) {
    const double start = processor_seconds();
    run();
    best = std::min(best, processor_seconds() - start);
  }
  return work / best;
}

// Reads 64 MiB, more than the caches hold, and sums it up.
double peak_bytes() {
  static const std::vector<float> data(16 << 20, 1.0f);
  double best = 1e9;
  for (int i = 0; i < 5; ++i) {
    const double start = processor_seconds();
    float sum[32] = {};
    for (size_t at = 0; at < data.size(); at += 32)
      for (size_t j = 0; j < 32; ++j) sum[j] += data[at + j];
    asm volatile("" : : "m"(sum));
    best = std::min(best, processor_seconds() - start);
  }
  return static_cast<double>(data.size() * sizeof(float)) / best;
}

}  // namespace yanrt::cpu::bench
