// What the tiles of AMX do with one step of k: eight registers of 16 rows by 64 bytes, four of which (0 to 3) hold
// sums. The instructions name their registers as literals, hence the macros.
#pragma once

#include "backends/cpu/isa/simd.h"

namespace yanrt::cpu::YANRT_ISA {

inline constexpr int kAmxRows = 16, kAmxBytes = 64;  // of a register
inline constexpr int kAmxPanelColumns = 64;          // four registers of sums
inline constexpr int64_t kAmxSumStride = kAmxPanelColumns * sizeof(float);
inline constexpr int64_t kAmxPanelStep = kAmxRows * kAmxSumStride;  // the registers of a panel that a step reads

template <int kRegister>
YANRT_INLINE void amx_load_rows(const void* from, int64_t stride) {
  static_assert(kRegister >= 4 && kRegister <= 6);
  if constexpr (kRegister == 4)
    _tile_loadd(4, from, stride);
  else if constexpr (kRegister == 5)
    _tile_loadd(5, from, stride);
  else
    _tile_loadd(6, from, stride);
}

// A Kind has two forms of a step, which add the same products to a sum in the same order. With kChains the sums of a
// call begin at zero and are added to those before; else they go on from those.
//   square   32 rows by 32 columns: the sums are 0, 1 and, of the lower rows, 2, 3
//   strip    16 rows by 32 columns, or by 64 with `wide`; fetch.operator()<register>(bytes) loads 16 rows from so many
//            bytes behind their start
#define YANRT_AMX_KIND(name, element_bytes, multiply_add)                                           \
  struct name {                                                                                     \
    static constexpr int64_t kElementBytes = element_bytes, kRowStep = kAmxBytes;                   \
    static constexpr int64_t kPanelStep = kAmxPanelStep;                                            \
    static constexpr bool kChains = false;                                                          \
    static YANRT_INLINE void square(const std::byte* x, int64_t x_stride, const std::byte* w) {     \
      _tile_loadd(4, x, x_stride);                                                                  \
      _tile_loadd(6, w, kAmxSumStride);                                                             \
      multiply_add(0, 4, 6);                                                                        \
      _tile_loadd(7, w + kAmxBytes, kAmxSumStride);                                                 \
      multiply_add(1, 4, 7);                                                                        \
      _tile_loadd(5, x + kAmxRows * x_stride, x_stride);                                            \
      multiply_add(2, 5, 6);                                                                        \
      multiply_add(3, 5, 7);                                                                        \
    }                                                                                               \
    template <class Fetch>                                                                          \
    static YANRT_INLINE void strip(const Fetch& fetch, int64_t at, const std::byte* w, bool wide) { \
      fetch.template operator()<4>(at);                                                             \
      _tile_loadd(5, w, kAmxSumStride);                                                             \
      multiply_add(0, 4, 5);                                                                        \
      _tile_loadd(6, w + kAmxBytes, kAmxSumStride);                                                 \
      multiply_add(1, 4, 6);                                                                        \
      if (!wide) return;                                                                            \
      _tile_loadd(7, w + 2 * kAmxBytes, kAmxSumStride);                                             \
      multiply_add(2, 4, 7);                                                                        \
      _tile_loadd(5, w + 3 * kAmxBytes, kAmxSumStride);                                             \
      multiply_add(3, 4, 5);                                                                        \
    }                                                                                               \
  };
YANRT_AMX_KIND(AmxBf16, 2, _tile_dpbf16ps)
YANRT_AMX_KIND(AmxInt8, 1, _tile_dpbusd)  // unsigned by signed
#undef YANRT_AMX_KIND

// f32 as three bf16 (kernels/gemm_split_loops.h): of the nine products of the parts the six largest, the smallest of
// them first. In a square each needs one operand anew.
struct AmxBf16x3 {
  static constexpr int64_t kElementBytes = 6, kRowStep = 3 * kAmxBytes, kPanelStep = 3 * kAmxPanelStep;
  static constexpr bool kChains = true;

#define YANRT_AMX_ROWS(part)                        \
  _tile_loadd(4, x + (part) * kAmxBytes, x_stride); \
  _tile_loadd(5, x + (part) * kAmxBytes + kAmxRows * x_stride, x_stride)
#define YANRT_AMX_COLUMNS(part)                              \
  _tile_loadd(6, w + (part) * kAmxPanelStep, kAmxSumStride); \
  _tile_loadd(7, w + (part) * kAmxPanelStep + kAmxBytes, kAmxSumStride)
#define YANRT_AMX_PRODUCTS() \
  _tile_dpbf16ps(0, 4, 6);   \
  _tile_dpbf16ps(1, 4, 7);   \
  _tile_dpbf16ps(2, 5, 6);   \
  _tile_dpbf16ps(3, 5, 7)
  static YANRT_INLINE void square(const std::byte* x, int64_t x_stride, const std::byte* w) {
    YANRT_AMX_ROWS(kLow);
    YANRT_AMX_COLUMNS(kHigh);
    YANRT_AMX_PRODUCTS();
    YANRT_AMX_ROWS(kMid);
    YANRT_AMX_PRODUCTS();
    YANRT_AMX_COLUMNS(kMid);
    YANRT_AMX_PRODUCTS();
    YANRT_AMX_ROWS(kHigh);
    YANRT_AMX_PRODUCTS();
    YANRT_AMX_COLUMNS(kLow);
    YANRT_AMX_PRODUCTS();
    YANRT_AMX_COLUMNS(kHigh);
    YANRT_AMX_PRODUCTS();
  }
#undef YANRT_AMX_ROWS
#undef YANRT_AMX_COLUMNS
#undef YANRT_AMX_PRODUCTS

  // One register is left for the panel; the columns take turns, so that a sum need not wait for itself.
#define YANRT_AMX_COLUMN(sum, part, rows)                                        \
  _tile_loadd(7, w + (part) * kAmxPanelStep + (sum) * kAmxBytes, kAmxSumStride); \
  _tile_dpbf16ps(sum, rows, 7)
#define YANRT_AMX_TURN(part, rows)   \
  YANRT_AMX_COLUMN(0, part, rows);   \
  YANRT_AMX_COLUMN(1, part, rows);   \
  if (wide) {                        \
    YANRT_AMX_COLUMN(2, part, rows); \
    YANRT_AMX_COLUMN(3, part, rows); \
  }
  template <class Fetch>
  static YANRT_INLINE void strip(const Fetch& fetch, int64_t at, const std::byte* w, bool wide) {
    fetch.template operator()<4>(at + kHigh * kAmxBytes);
    fetch.template operator()<5>(at + kMid * kAmxBytes);
    fetch.template operator()<6>(at + kLow * kAmxBytes);
    YANRT_AMX_TURN(kHigh, 6)
    YANRT_AMX_TURN(kHigh, 5)
    YANRT_AMX_TURN(kMid, 5)
    YANRT_AMX_TURN(kMid, 4)
    YANRT_AMX_TURN(kLow, 4)
    YANRT_AMX_TURN(kHigh, 4)
  }
#undef YANRT_AMX_COLUMN
#undef YANRT_AMX_TURN

 private:
  static constexpr int64_t kHigh = 0, kMid = 1, kLow = 2;
};

}  // namespace yanrt::cpu::YANRT_ISA
