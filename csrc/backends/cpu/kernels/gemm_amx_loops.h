// The tiles of GEMM on AMX: eight registers of 16 rows by 64 bytes, four of which hold sums. The panels are those of
// the other tiles: the instructions read consecutive k side by side too. A sum is the same chain whichever of the forms
// below computes it. The instructions name their registers as literals, hence the macros.
#pragma once

#include "backends/cpu/isa/amx_config.h"
#include "backends/cpu/isa/simd.h"
#include "backends/cpu/isa/vec_math.h"
#include "backends/cpu/kernels/gemm_args.h"
#include "backends/cpu/kernels/gemm_fetch.h"

namespace yanrt::cpu::YANRT_ISA {

inline constexpr int kAmxRows = 16, kAmxBytes = 64;  // of a register
inline constexpr int kAmxPanelColumns = 64;          // four registers of sums
inline constexpr int64_t kAmxSumStride = kAmxPanelColumns * sizeof(float);

struct AmxBf16 {
  using Element = uint16_t;
  static constexpr bool kInteger = false;
};
struct AmxInt8 {  // unsigned by signed
  using Element = uint8_t;
  static constexpr bool kInteger = true;
};

#define YANRT_AMX_MULTIPLY_ADD(sum, a, b) \
  if constexpr (Kind::kInteger)           \
    _tile_dpbusd(sum, a, b);              \
  else                                    \
    _tile_dpbf16ps(sum, a, b)
#define YANRT_AMX_START(sum, from)         \
  if (resume)                              \
    _tile_loadd(sum, from, kAmxSumStride); \
  else                                     \
    _tile_zero(sum)
// g++ 12 does not know that a tile is loaded from memory.
#define YANRT_AMX_FENCE() asm volatile("" ::: "memory")

// Every register is whole: rows that are missing are filled with zeros before they are loaded.
inline void amx_enter() { _tile_loadconfig(&kWholeTiles); }
inline void amx_leave() { _tile_release(); }

// Stretches in steps of 64 bytes.
struct AmxStretches {
  const int64_t* at;  // bytes, in units of `unit`
  int64_t unit, count, steps;
};

// 32 rows by all columns or the first half, a half at a time: two registers of `a` meet two of the panel.
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
      for (int64_t step = 0; step < stretches.steps; ++step, x += kAmxBytes, w += kAmxRows * kAmxSumStride) {
        fetcher.fetch();
        _tile_loadd(4, x, a_bytes);
        _tile_loadd(6, w, kAmxSumStride);
        YANRT_AMX_MULTIPLY_ADD(0, 4, 6);
        _tile_loadd(7, w + kAmxBytes, kAmxSumStride);
        YANRT_AMX_MULTIPLY_ADD(1, 4, 7);
        _tile_loadd(5, x + kAmxRows * a_bytes, a_bytes);
        YANRT_AMX_MULTIPLY_ADD(2, 5, 6);
        YANRT_AMX_MULTIPLY_ADD(3, 5, 7);
      }
    }
    _tile_stored(0, acc, kAmxSumStride);
    _tile_stored(1, acc + 16, kAmxSumStride);
    _tile_stored(2, lower, kAmxSumStride);
    _tile_stored(3, lower + 16, kAmxSumStride);
  }
}

// 16 rows by all columns or the first half; fetch(bytes) loads register 4 from so many bytes behind the rows' start.
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
    for (int64_t step = 0; step < stretches.steps; ++step, from += kAmxBytes, w += kAmxRows * kAmxSumStride) {
      fetcher.fetch();
      fetch(from);
      _tile_loadd(5, w, kAmxSumStride);
      YANRT_AMX_MULTIPLY_ADD(0, 4, 5);
      _tile_loadd(6, w + kAmxBytes, kAmxSumStride);
      YANRT_AMX_MULTIPLY_ADD(1, 4, 6);
      if (halves == 1) continue;
      _tile_loadd(7, w + 2 * kAmxBytes, kAmxSumStride);
      YANRT_AMX_MULTIPLY_ADD(2, 4, 7);
      _tile_loadd(5, w + 3 * kAmxBytes, kAmxSumStride);
      YANRT_AMX_MULTIPLY_ADD(3, 4, 5);
    }
  }
  _tile_stored(0, acc, kAmxSumStride);
  _tile_stored(1, acc + 16, kAmxSumStride);
  if (halves == 1) return;
  _tile_stored(2, acc + 32, kAmxSumStride);
  _tile_stored(3, acc + 48, kAmxSumStride);
}

// TileLoop::run. Writes whole registers of sums: `acc` has room for a multiple of 16 rows.
template <class Kind>
void amx_tile(int64_t rows, const void* a, int64_t a_stride, const Stretches& stretches, const void* panel, float* acc,
              bool resume, int64_t used, const Ahead& ahead) {
  const int halves = used > kAmxPanelColumns / 2 ? 2 : 1;
  constexpr int64_t kSize = sizeof(typename Kind::Element);
  const auto* x = static_cast<const std::byte*>(a);
  const auto* w = static_cast<const std::byte*>(panel);
  const int64_t a_bytes = a_stride * kSize, sums = kAmxRows * kAmxPanelColumns;
  const AmxStretches in_bytes{stretches.at, kSize, stretches.count, stretches.k * kSize / kAmxBytes};
  const int64_t strips = rows / (2 * kAmxRows) * halves + (rows % (2 * kAmxRows) + kAmxRows - 1) / kAmxRows;
  Fetcher fetcher(ahead, strips * in_bytes.count * in_bytes.steps, 1);
  YANRT_AMX_FENCE();
  for (; rows >= 2 * kAmxRows; rows -= 2 * kAmxRows, x += 2 * kAmxRows * a_bytes, acc += 2 * sums)
    amx_two_strips<Kind>(x, a_bytes, in_bytes, w, acc, resume, halves, fetcher);
  if (rows >= kAmxRows) {
    amx_strip<Kind>([=](int64_t from) { _tile_loadd(4, x + from, a_bytes); }, in_bytes, w, acc, resume, halves,
                    fetcher);
    rows -= kAmxRows, x += kAmxRows * a_bytes, acc += sums;
  }
  if (rows == 0) return;
  alignas(64) std::byte whole[kAmxRows * kAmxBytes] = {};
  amx_strip<Kind>(
      [&whole, x, a_bytes, rows](int64_t from) {
        for (int64_t row = 0; row < rows; ++row)
          __builtin_memcpy(whole + row * kAmxBytes, x + row * a_bytes + from, kAmxBytes);
        YANRT_AMX_FENCE();
        _tile_loadd(4, whole, kAmxBytes);
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
        [&turned, x, row](int64_t from) {
          VecInt block[kLanes];
          for (int i = 0; i < kLanes; ++i) block[i] = load_int(x + (from / 4 + i) * kAmxPanelColumns + row);
          transpose(block);
          for (int i = 0; i < kLanes; ++i) __builtin_memcpy(turned + i * kLanes, &block[i], sizeof(VecInt));
          YANRT_AMX_FENCE();
          _tile_loadd(4, turned, kAmxBytes);
        },
        whole, w, acc, resume, halves, fetcher);
}

#undef YANRT_AMX_MULTIPLY_ADD
#undef YANRT_AMX_START

}  // namespace yanrt::cpu::YANRT_ISA
