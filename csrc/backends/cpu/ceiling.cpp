#include "backends/cpu/ceiling.h"

#include <algorithm>
#include <barrier>
#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "backends/cpu/isa/amx_config.h"
#include "backends/cpu/isa/isa.h"

namespace yanrt::cpu {
namespace {

constexpr int kSteps = 100000;  // of one run of a chain loop
constexpr int kTileSteps = 20000;
constexpr int kRuns = 20;

// A loop and the operations it does.
struct Chains {
  void (*run)() = nullptr;
  double operations = 0;
};

// Enough independent chains to fill the units at their latency. The empty asm keeps each sum in a register and alive.
#if defined(__x86_64__)
__attribute__((target("avx2,fma"))) void fma_avx2() {
  __m256 sum[12] = {};
  const __m256 x = _mm256_set1_ps(0.999f);
  for (int i = 0; i < kSteps; ++i) {
#pragma GCC unroll 12
    for (auto& s : sum) {
      s = _mm256_fmadd_ps(s, x, x);
      asm volatile("" : "+v"(s));
    }
  }
}

__attribute__((target("avx512f"))) void fma_avx512() {
  __m512 sum[24] = {};
  const __m512 x = _mm512_set1_ps(0.999f);
  for (int i = 0; i < kSteps; ++i) {
#pragma GCC unroll 24
    for (auto& s : sum) {
      s = _mm512_fmadd_ps(s, x, x);
      asm volatile("" : "+v"(s));
    }
  }
}

__attribute__((target("avx512f,avx512bf16"))) void dot_bf16_avx512() {
  __m512 sum[24] = {};
  const __m512i bits = _mm512_set1_epi32(0x3f003f00);
  for (int i = 0; i < kSteps; ++i) {
#pragma GCC unroll 24
    for (auto& s : sum) {
      s = _mm512_dpbf16_ps(s, reinterpret_cast<__m512bh>(bits), reinterpret_cast<__m512bh>(bits));
      asm volatile("" : "+v"(s));
    }
  }
}

__attribute__((target("avx512f,avx512vnni"))) void dot_int8_avx512() {
  __m512i sum[24] = {};
  const __m512i x = _mm512_set1_epi8(3);
  for (int i = 0; i < kSteps; ++i) {
#pragma GCC unroll 24
    for (auto& s : sum) {
      s = _mm512_dpbusd_epi32(s, x, x);
      asm volatile("" : "+v"(s));
    }
  }
}

__attribute__((target("avx2,avxvnni"))) void dot_int8_avx_vnni() {
  __m256i sum[12] = {};
  const __m256i x = _mm256_set1_epi8(3);
  for (int i = 0; i < kSteps; ++i) {
#pragma GCC unroll 12
    for (auto& s : sum) {
      s = _mm256_dpbusd_avx_epi32(s, x, x);
      asm volatile("" : "+v"(s));
    }
  }
}

__attribute__((target("avx2"))) void dot_int8_avx2() {
  __m256i sum[8] = {};
  __m256i x = _mm256_set1_epi8(3);
  const __m256i ones = _mm256_set1_epi16(1);
  for (int i = 0; i < kSteps; ++i) {
#pragma GCC unroll 8
    for (auto& s : sum) {
      asm volatile("" : "+x"(x));  // or the product would leave the loop
      s = _mm256_add_epi32(s, _mm256_madd_epi16(_mm256_maddubs_epi16(x, x), ones));
      asm volatile("" : "+x"(s));
    }
  }
}

// Four registers of sums, as many as the operands of a GEMM leave.
#define YANRT_TILES(name, target_features, multiply_add) \
  __attribute__((target(target_features))) void name() { \
    _tile_loadconfig(&kWholeTiles);                      \
    _tile_zero(0);                                       \
    _tile_zero(1);                                       \
    _tile_zero(2);                                       \
    _tile_zero(3);                                       \
    _tile_zero(4);                                       \
    _tile_zero(5);                                       \
    for (int i = 0; i < kTileSteps; ++i) {               \
      multiply_add(0, 4, 5);                             \
      multiply_add(1, 4, 5);                             \
      multiply_add(2, 4, 5);                             \
      multiply_add(3, 4, 5);                             \
    }                                                    \
    _tile_release();                                     \
  }
YANRT_TILES(tiles_bf16_amx, "amx-tile,amx-bf16", _tile_dpbf16ps)
YANRT_TILES(tiles_int8_amx, "amx-tile,amx-int8", _tile_dpbusd)
#undef YANRT_TILES
#endif

void multiply_add_scalar() {
  float sum[8] = {};
  float x = 0.999f;
  for (int i = 0; i < kSteps; ++i)
    for (float& s : sum) {
      asm volatile("" : "+r"(x));
      s = s * x + x;
    }
  asm volatile("" ::"r"(sum) : "memory");
}

Chains best_f32() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return {fma_avx512, 24.0 * 32 * kSteps};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return {fma_avx2, 12.0 * 16 * kSteps};
#endif
  return {multiply_add_scalar, 8.0 * 2 * kSteps};
}

Chains best_bf16() {
#if defined(__x86_64__)
  if (missing_features(Isa::amx).empty()) return {tiles_bf16_amx, 4.0 * 16 * 16 * 64 * kTileSteps};
  if (__builtin_cpu_supports("avx512bf16")) return {dot_bf16_avx512, 24.0 * 64 * kSteps};
#endif
  return best_f32();
}

Chains best_int8() {
#if defined(__x86_64__)
  if (missing_features(Isa::amx).empty()) return {tiles_int8_amx, 4.0 * 16 * 16 * 128 * kTileSteps};
  if (__builtin_cpu_supports("avx512vnni")) return {dot_int8_avx512, 24.0 * 128 * kSteps};
  if (__builtin_cpu_supports("avxvnni")) return {dot_int8_avx_vnni, 12.0 * 64 * kSteps};
  if (__builtin_cpu_supports("avx2")) return {dot_int8_avx2, 8.0 * 64 * kSteps};
#endif
  return {multiply_add_scalar, 8.0 * 2 * kSteps};
}

// Seconds of the fastest of `runs` runs of work(thread) on all threads at once.
template <class Work>
double best_seconds(int threads, int runs, const Work& work) {
  using Clock = std::chrono::steady_clock;
  std::barrier start(threads);
  std::vector<std::vector<Clock::time_point>> began(threads), ended(threads);
  const auto body = [&](int thread) {
    for (int run = 0; run < runs; ++run) {
      start.arrive_and_wait();
      began[thread].push_back(Clock::now());
      work(thread);
      ended[thread].push_back(Clock::now());
    }
  };
  std::vector<std::thread> others;
  for (int thread = 1; thread < threads; ++thread) others.emplace_back(body, thread);
  body(0);
  for (std::thread& other : others) other.join();
  double best = 1e9;
  for (int run = 0; run < runs; ++run) {
    auto first = began[0][run], last = ended[0][run];
    for (int thread = 1; thread < threads; ++thread) {
      first = std::min(first, began[thread][run]);
      last = std::max(last, ended[thread][run]);
    }
    best = std::min(best, std::chrono::duration<double>(last - first).count());
  }
  return best;
}

double operations_a_second(const Chains& chains, int threads) {
  return threads * chains.operations / best_seconds(threads, kRuns, [&](int) { chains.run(); });
}

// A run reads the next slice of the array, so that it is over before another process may have the core.
double bytes_a_second(int threads, size_t working_set) {
  constexpr size_t kLine = 16, kSlice = size_t{8} << 20;  // words added at once; bytes of a run
  const size_t slice = std::max(std::min(working_set, kSlice) / sizeof(uint64_t) / threads / kLine, size_t{1}) * kLine;
  const size_t slices = std::max(working_set / sizeof(uint64_t) / threads / slice, size_t{1});
  const size_t passes = std::max(kSlice / (slice * sizeof(uint64_t) * threads), size_t{1});  // long enough to time
  std::vector<std::vector<uint64_t>> arrays(threads);
  std::vector<size_t> next(threads, 0);
  best_seconds(threads, 1, [&](int thread) { arrays[thread].assign(slices * slice, 1); });  // first touch by its reader
  const double seconds = best_seconds(threads, static_cast<int>(4 * kNoCache / kSlice), [&](int thread) {
    uint64_t sum[kLine] = {};
    const uint64_t* data = arrays[thread].data() + next[thread] * slice;
    for (size_t pass = 0; pass < passes; ++pass)
      for (size_t i = 0; i < slice; i += kLine)
        for (size_t j = 0; j < kLine; ++j) sum[j] += data[i + j];
    asm volatile("" ::"r"(sum) : "memory");
    next[thread] = (next[thread] + 1) % slices;
  });
  return threads * static_cast<double>(passes * slice) * sizeof(uint64_t) / seconds;
}

}  // namespace

Ceiling measure_ceiling(int threads, size_t working_set) {
#if defined(__x86_64__)
  __builtin_cpu_init();
#endif
  constexpr double kProductsOfParts = 6;
  const double f32 = operations_a_second(best_f32(), threads), bf16 = operations_a_second(best_bf16(), threads);
  return {.f32 = f32,
          .f32_products = std::max(f32, bf16 / kProductsOfParts),
          .bf16 = bf16,
          .int8 = operations_a_second(best_int8(), threads),
          .bytes = bytes_a_second(threads, working_set)};
}

}  // namespace yanrt::cpu
