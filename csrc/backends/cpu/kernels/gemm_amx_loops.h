// The tiles of GEMM on AMX. The panels are those of the other tiles: the instructions read consecutive k side by side
// too. A sum is the same chain whichever of the forms below computes it.
#pragma once

#include "backends/cpu/isa/amx_config.h"
#include "backends/cpu/isa/simd.h"
#include "backends/cpu/isa/vec_math.h"
#include "backends/cpu/kernels/gemm_amx_steps.h"
#include "backends/cpu/kernels/gemm_args.h"
#include "backends/cpu/kernels/gemm_fetch.h"
#include "backends/cpu/kernels/gemm_split_loops.h"

namespace yanrt::cpu::YANRT_ISA {

#define YANRT_AMX_START(sum, from)         \
  if (resume && !Kind::kChains)            \
    _tile_loadd(sum, from, kAmxSumStride); \
  else                                     \
    _tile_zero(sum)
#define YANRT_AMX_END(sum, to)              \
  if (resume && Kind::kChains) {            \
    alignas(64) float chain[kAmxRows * 16]; \
    _tile_stored(sum, chain, kAmxBytes);    \
    amx_add(chain, to);                     \
  } else {                                  \
    _tile_stored(sum, to, kAmxSumStride);   \
  }
// g++ 12 does not know that a tile is loaded from memory.
#define YANRT_AMX_FENCE() asm volatile("" ::: "memory")

// Every register is whole: rows that are missing are filled with zeros before they are loaded.
inline void amx_enter() { _tile_loadconfig(&kWholeTiles); }
inline void amx_leave() { _tile_release(); }

// Stretches in steps of Kind::kRowStep.
struct AmxStretches {
  const int64_t* at;  // bytes, in units of `unit`
  int64_t unit, count, steps;
};

// acc += 16 x 16 sums that a register left in `sums`.
YANRT_INLINE void amx_add(const float* sums, float* acc) {
  YANRT_AMX_FENCE();
  for (int64_t row = 0; row < kAmxRows; ++row, acc += kAmxPanelColumns, sums += kLanes)
    store(acc, load(acc) + load(sums));
}

// 32 rows by all columns or the first half, a half at a time.
template <class Kind>
YANRT_INLINE void amx_two_strips(const std::byte* a, int64_t a_bytes, const AmxStretches& stretches,
                                 const std::byte* panel, float* acc, bool resume, int halves, Fetcher& fetcher) {
  for (int half = 0; half < halves; ++half, acc += kAmxPanelColumns / 2, panel += 2 * kAmxBytes) {
    float* lower = acc + kAmxRows * kAmxPanelColumns;
    YANRT_AMX_START(0, acc);
    YANRT_AMX_START(1, acc + 16);
    YANRT_AMX_START(2, lower);
    YANRT_AMX_START(3, lower + 16);
    const std::byte* w = panel;
    for (int64_t stretch = 0; stretch < stretches.count; ++stretch) {
      const std::byte* x = a + stretches.at[stretch] * stretches.unit;
      for (int64_t step = 0; step < stretches.steps; ++step, x += Kind::kRowStep, w += Kind::kPanelStep) {
        fetcher.fetch();
        Kind::square(x, a_bytes, w);
      }
    }
    YANRT_AMX_END(0, acc);
    YANRT_AMX_END(1, acc + 16);
    YANRT_AMX_END(2, lower);
    YANRT_AMX_END(3, lower + 16);
  }
}

// 16 rows by all columns or the first half; `fetch`: see gemm_amx_steps.h.
template <class Kind, class Fetch>
YANRT_INLINE void amx_strip(const Fetch& fetch, const AmxStretches& stretches, const std::byte* panel, float* acc,
                            bool resume, int halves, Fetcher& fetcher) {
  YANRT_AMX_START(0, acc);
  YANRT_AMX_START(1, acc + 16);
  if (halves == 2) {
    YANRT_AMX_START(2, acc + 32);
    YANRT_AMX_START(3, acc + 48);
  }
  const std::byte* w = panel;
  for (int64_t stretch = 0; stretch < stretches.count; ++stretch) {
    int64_t from = stretches.at[stretch] * stretches.unit;
    for (int64_t step = 0; step < stretches.steps; ++step, from += Kind::kRowStep, w += Kind::kPanelStep) {
      fetcher.fetch();
      Kind::strip(fetch, from, w, halves == 2);
    }
  }
  YANRT_AMX_END(0, acc);
  YANRT_AMX_END(1, acc + 16);
  if (halves == 1) return;
  YANRT_AMX_END(2, acc + 32);
  YANRT_AMX_END(3, acc + 48);
}

// TileLoop::run. Writes whole registers of sums: `acc` has room for a multiple of 16 rows.
template <class Kind>
void amx_tile(int64_t rows, const void* a, int64_t a_stride, const Stretches& stretches, const void* panel, float* acc,
              bool resume, int64_t used, const Ahead& ahead) {
  const int halves = used > kAmxPanelColumns / 2 ? 2 : 1;
  constexpr int64_t kSize = Kind::kElementBytes;
  const auto* x = static_cast<const std::byte*>(a);
  const auto* w = static_cast<const std::byte*>(panel);
  const int64_t a_bytes = a_stride * kSize, sums = kAmxRows * kAmxPanelColumns;
  const AmxStretches in_bytes{stretches.at, kSize, stretches.count, stretches.k * kSize / Kind::kRowStep};
  const int64_t strips = rows / (2 * kAmxRows) * halves + (rows % (2 * kAmxRows) + kAmxRows - 1) / kAmxRows;
  Fetcher fetcher(ahead, strips * in_bytes.count * in_bytes.steps, 1);
  YANRT_AMX_FENCE();
  for (; rows >= 2 * kAmxRows; rows -= 2 * kAmxRows, x += 2 * kAmxRows * a_bytes, acc += 2 * sums)
    amx_two_strips<Kind>(x, a_bytes, in_bytes, w, acc, resume, halves, fetcher);
  if (rows >= kAmxRows) {
    amx_strip<Kind>([=]<int kRegister>(int64_t from) { amx_load_rows<kRegister>(x + from, a_bytes); }, in_bytes, w, acc,
                    resume, halves, fetcher);
    rows -= kAmxRows, x += kAmxRows * a_bytes, acc += sums;
  }
  if (rows == 0) return;
  alignas(64) std::byte whole[kAmxRows * kAmxBytes] = {};
  amx_strip<Kind>(
      [&whole, x, a_bytes, rows]<int kRegister>(int64_t from) {
        for (int64_t row = 0; row < rows; ++row)
          __builtin_memcpy(whole + row * kAmxBytes, x + row * a_bytes + from, kAmxBytes);
        YANRT_AMX_FENCE();
        amx_load_rows<kRegister>(whole, kAmxBytes);
      },
      in_bytes, w, acc, resume, halves, fetcher);
}

// TileLoop::run_columns: 16 columns of a panel of pairs become the rows of a register.
inline void amx_tile_columns(int64_t rows, const void* a, const void* panel, int64_t k, float* acc, bool resume,
                             int64_t used) {
  const int halves = used > kAmxPanelColumns / 2 ? 2 : 1;
  const auto* x = static_cast<const uint32_t*>(a);
  const auto* w = static_cast<const std::byte*>(panel);
  const AmxStretches whole{&Stretches::kStart, 1, 1, k * static_cast<int64_t>(sizeof(uint16_t)) / kAmxBytes};
  alignas(64) uint32_t turned[kAmxRows * kLanes];
  Fetcher fetcher({}, 1, 1);
  YANRT_AMX_FENCE();
  for (int64_t row = 0; row < rows; row += kAmxRows, acc += kAmxRows * kAmxPanelColumns)
    amx_strip<AmxBf16>(
        [&turned, x, row]<int kRegister>(int64_t from) {
          VecInt block[kLanes];
          for (int i = 0; i < kLanes; ++i) block[i] = load_int(x + (from / 4 + i) * kAmxPanelColumns + row);
          transpose(block);
          for (int i = 0; i < kLanes; ++i) __builtin_memcpy(turned + i * kLanes, &block[i], sizeof(VecInt));
          YANRT_AMX_FENCE();
          amx_load_rows<kRegister>(turned, kAmxBytes);
        },
        whole, w, acc, resume, halves, fetcher);
}

// The same where `a` is f32, [k][columns]: its columns become rows in three parts, as many k at a time as attention
// asks for at most.
inline void amx_tile_split_columns(int64_t rows, const void* a, const void* panel, int64_t k, float* acc, bool resume,
                                   int64_t used) {
  constexpr int64_t kMostK = 128, kStride = 3 * kMostK, kStrideBytes = kStride * sizeof(uint16_t);
  const NoSubnormals guard;
  const int halves = used > kAmxPanelColumns / 2 ? 2 : 1;
  const auto* x = static_cast<const float*>(a);
  const auto* w = static_cast<const std::byte*>(panel);
  alignas(64) uint16_t turned[2 * kAmxRows * kStride];
  const auto* from = reinterpret_cast<const std::byte*>(turned);
  for (int64_t begin = 0; begin < k; begin += kMostK, x += kMostK * kAmxPanelColumns, resume = true) {
    const int64_t taken = k - begin < kMostK ? k - begin : kMostK;
    const AmxStretches whole{&Stretches::kStart, 1, 1, taken / kSplitStep};
    Fetcher fetcher({}, 1, 1);
    float* sums = acc;
    for (int64_t row = 0; row < rows; row += 2 * kAmxRows, sums += 2 * kAmxRows * kAmxPanelColumns) {
      const bool two = rows - row > kAmxRows;
      for (int64_t strip = 0; strip < (two ? 2 : 1); ++strip)
        split_columns<kAmxPanelColumns>(x + row + strip * kAmxRows, taken, turned + strip * kAmxRows * kStride,
                                        kStride);
      YANRT_AMX_FENCE();
      if (two)
        amx_two_strips<AmxBf16x3>(from, kStrideBytes, whole, w, sums, resume, halves, fetcher);
      else
        amx_strip<AmxBf16x3>([from]<int kRegister>(int64_t at) { amx_load_rows<kRegister>(from + at, kStrideBytes); },
                             whole, w, sums, resume, halves, fetcher);
    }
    w += taken / kSplitStep * AmxBf16x3::kPanelStep;
  }
}

#undef YANRT_AMX_START
#undef YANRT_AMX_END

}  // namespace yanrt::cpu::YANRT_ISA
