// The register tiles of GEMM; gemm_finish_loops.h finishes their sums. Each element of a tile is one chain of
// multiply-adds in the order of k, whatever the number of rows in the call: a row's bits do not depend on its tile.
#pragma once

#include "backends/cpu/isa/simd.h"
#include "backends/cpu/isa/vec_math.h"
#include "backends/cpu/kernels/gemm_args.h"
#include "backends/cpu/kernels/gemm_fetch.h"
#include "backends/cpu/kernels/gemm_finish_loops.h"
#include "backends/cpu/kernels/gemm_tile_sizes.h"
#if defined(__AMX_BF16__)
#include "backends/cpu/kernels/gemm_amx_loops.h"
#endif

namespace yanrt::cpu::YANRT_ISA {

// Calls fn.template operator()<rows>().
template <class Fn>
YANRT_INLINE void with_rows(int64_t rows, Fn fn) {
  switch (rows) {
    case 1: return fn.template operator()<1>();
    case 2: return fn.template operator()<2>();
    case 3: return fn.template operator()<3>();
    case 4: return fn.template operator()<4>();
#if defined(__AVX2__)
    case 5: return fn.template operator()<5>();
    case 6: return fn.template operator()<6>();
#endif
  }
}

// sum[i][j] = step(sum[i][j], a of row i, panel register j) for every `group` of k. A `Step` says how it reads both.
// Element (i, p) of `a` lies at i * a_stride + p * a_step. With `resume` the sums are added to those of `acc`. Before
// every Fetcher::period() steps, some lines are fetched.
template <int kRows, int kVecs, class Step>
YANRT_INLINE void walk_k(const typename Step::A* row, int64_t a_stride, int64_t a_step, const Stretches& stretches,
                         const typename Step::B* panel, float* acc, bool resume, Fetcher& fetcher) {
  using Sum = typename Step::Sum;  // Vec, or VecInt for integers
  constexpr int kGroup = Step::kGroup;
  Sum sum[kRows][kVecs] = {};
  const int64_t k = stretches.k, period = fetcher.period() * kGroup;
  for (int64_t stretch = 0; stretch < stretches.count; ++stretch, panel += k * kTileColumns) {
    const typename Step::A* a = row + stretches.at[stretch];
    for (int64_t p = 0; p < k;) {
      fetcher.fetch();
      const int64_t end = p + period < k ? p + period : k;
      for (; p < end; p += kGroup) {
        typename Step::Panel w[kVecs];
        for (int j = 0; j < kVecs; ++j) w[j] = Step::panel(panel + (p * kTileColumns + j * kLanes * kGroup));
        for (int i = 0; i < kRows; ++i) {
          const auto x = Step::broadcast(a + (i * a_stride + p * a_step));
          for (int j = 0; j < kVecs; ++j) sum[i][j] = Step::multiply_add(sum[i][j], x, w[j]);
        }
      }
    }
  }
  for (int i = 0; i < kRows; ++i)
    for (int j = 0; j < kVecs; ++j) {
      float* at = acc + i * kTileColumns + j * kLanes;
      store(at, reinterpret_cast<Vec>(resume ? sum[i][j] + reinterpret_cast<Sum>(load(at)) : sum[i][j]));
    }
}
template <class Step>
YANRT_INLINE void walk_rows(int64_t rows, const void* a, int64_t a_stride, int64_t a_step, const Stretches& stretches,
                            const void* panel, float* acc, bool resume, int64_t used, const Ahead& ahead) {
  const auto* x = static_cast<const typename Step::A*>(a);
  const auto* w = static_cast<const typename Step::B*>(panel);
  const int64_t walks = (rows + kTileRows - 1) / kTileRows * stretches.count;
  Fetcher fetcher(ahead, walks, (stretches.k + Step::kGroup - 1) / Step::kGroup);
  for (; rows > 0; rows -= kTileRows, x += kTileRows * a_stride, acc += kTileRows * kTileColumns)
    with_rows(rows < kTileRows ? rows : kTileRows, [&]<int kRows>() {
      if (used <= kTileColumns / 2)
        walk_k<kRows, kTileVecs / 2, Step>(x, a_stride, a_step, stretches, w, acc, resume, fetcher);
      else
        walk_k<kRows, kTileVecs, Step>(x, a_stride, a_step, stretches, w, acc, resume, fetcher);
    });
}
template <class Step>
void tile(int64_t rows, const void* a, int64_t a_stride, const Stretches& stretches, const void* panel, float* acc,
          bool resume, int64_t used, const Ahead& ahead) {
  walk_rows<Step>(rows, a, a_stride, 1, stretches, panel, acc, resume, used, ahead);
}
template <class Step>
void tile_columns(int64_t rows, const void* a, const void* panel, int64_t k, float* acc, bool resume, int64_t used) {
  walk_rows<Step>(rows, a, Step::kGroup, kTileColumns, Stretches::whole(k), panel, acc, resume, used, Ahead{});
}

// The panel holds f32, or bf16 that is widened as it is read.
template <class Weight>
struct FmaStep {
  using A = float;
  using B = Weight;
  using Sum = Vec;
  using Panel = Vec;
  static constexpr int kGroup = 1;
  static YANRT_INLINE Panel panel(const B* p) { return load(p); }
  static YANRT_INLINE Vec broadcast(const A* a) { return splat(*a); }
  static YANRT_INLINE Sum multiply_add(Sum sum, Vec x, Panel w) { return fma(x, w, sum); }
};

#if defined(__AVX512BF16__)
// bf16 in pairs along k: each instruction adds two products to a sum.
struct DotBf16Step {
  using A = uint16_t;
  using B = uint16_t;
  using Sum = Vec;
  using Panel = __m512bh;
  static constexpr int kGroup = 2;
  static YANRT_INLINE Panel panel(const B* p) { return reinterpret_cast<Panel>(_mm512_loadu_si512(p)); }
  static YANRT_INLINE __m512bh broadcast(const A* a) {
    return reinterpret_cast<__m512bh>(_mm512_set1_epi32(load_bits<int32_t>(a)));
  }
  static YANRT_INLINE Sum multiply_add(Sum sum, __m512bh x, Panel w) {
    return reinterpret_cast<Vec>(_mm512_dpbf16_ps(reinterpret_cast<__m512>(sum), x, w));
  }
};
#endif

// ---- int8. Every form adds the same integers, so the sums are the same on every processor.
#if defined(__AVX512VNNI__) || defined(__AVXVNNI__)
// Four products of a code (unsigned) and a weight (signed); what the offset of the codes adds is taken off at the end.
struct Int8Step {
  using A = uint8_t;
  using B = int8_t;
  using Sum = VecInt;
  using Panel = VecInt;
  static constexpr int kGroup = 4;
  static YANRT_INLINE Panel panel(const B* p) { return load_int(p); }
  static YANRT_INLINE VecInt broadcast(const A* a) { return splat_int(load_bits<int32_t>(a)); }
  static YANRT_INLINE Sum multiply_add(Sum sum, VecInt x, Panel w) {
#if defined(__AVX512VNNI__)
    return reinterpret_cast<VecInt>(_mm512_dpbusd_epi32(reinterpret_cast<__m512i>(sum), reinterpret_cast<__m512i>(x),
                                                        reinterpret_cast<__m512i>(w)));
#else
    return reinterpret_cast<VecInt>(_mm256_dpbusd_avx_epi32(
        reinterpret_cast<__m256i>(sum), reinterpret_cast<__m256i>(x), reinterpret_cast<__m256i>(w)));
#endif
  }
};
#elif defined(__AVX2__)
// Two products of 16-bit numbers. The instruction for 8-bit ones (vpmaddubsw) saturates at 16 bits, and where it cannot
// (both magnitudes at most 127) it needs one more for the sign and one more to widen: no faster.
struct Int8Step {
  using A = int16_t;
  using B = int16_t;
  using Sum = VecInt;
  using Panel = VecInt;
  static constexpr int kGroup = 2;
  static YANRT_INLINE Panel panel(const B* p) { return load_int(p); }
  static YANRT_INLINE VecInt broadcast(const A* a) { return splat_int(load_bits<int32_t>(a)); }
  static YANRT_INLINE Sum multiply_add(Sum sum, VecInt x, Panel w) {
#if defined(__AVX512F__)
    const __m512i products = _mm512_madd_epi16(reinterpret_cast<__m512i>(x), reinterpret_cast<__m512i>(w));
#else
    const __m256i products = _mm256_madd_epi16(reinterpret_cast<__m256i>(x), reinterpret_cast<__m256i>(w));
#endif
    return sum + reinterpret_cast<VecInt>(products);
  }
};
#else
struct Int8Step {
  using A = int16_t;
  using B = int16_t;
  using Sum = VecInt;
  using Panel = VecInt;
  static constexpr int kGroup = 1;
  static YANRT_INLINE Panel panel(const B* p) {
    Panel w;
    for (int i = 0; i < kLanes; ++i) w[i] = p[i];
    return w;
  }
  static YANRT_INLINE VecInt broadcast(const A* a) { return splat_int(*a); }
  static YANRT_INLINE Sum multiply_add(Sum sum, VecInt x, Panel w) { return sum + x * w; }
};
#endif

// ---- panels that are kept narrower than the tile reads them
inline void expand_f8(const void* stored, void* panel, int64_t n) {
  const auto* __restrict from = static_cast<const uint8_t*>(stored);
  auto* __restrict to = static_cast<float*>(panel);
  int64_t i = 0;
  for (; i + kF8Step <= n; i += kF8Step) f8_to_f32(from + i, to + i);
  for (; i < n; ++i) to[i] = from_f8(from[i]);
}
inline void expand_f8_to_bf16(const void* stored, void* panel, int64_t n) {
  const auto* __restrict from = static_cast<const uint8_t*>(stored);
  auto* __restrict to = static_cast<uint16_t*>(panel);
  int64_t i = 0;
  for (; i + kF8Words <= n; i += kF8Words) f8_to_bf16(from + i, to + i);
  for (; i < n; ++i) to[i] = static_cast<uint16_t>(bits_of(from_f8(from[i])) >> 16);  // exact: the lower half is zero
}
inline void expand_i8(const void* stored, void* panel, int64_t n) {
  const auto* __restrict from = static_cast<const int8_t*>(stored);
  auto* __restrict to = static_cast<int16_t*>(panel);
  for (int64_t i = 0; i < n; ++i) to[i] = from[i];
}

// A chain of sums gathers an error that grows with its length; so much of a panel stays in the first-level cache beside
// the sums. Of long enough ones the cost of their ends is small.
inline constexpr int kChain = 128;

inline constexpr TileLoop kTileFma = {.rows = kTileRows,
                                      .columns = kTileColumns,
                                      .group = 1,
                                      .depth = 1,
                                      .chain = kChain,
                                      .a = Element::f32,
                                      .rounds = false,
                                      .b = Element::f32,
                                      .stored = Element::f32,
                                      .expand = nullptr,
                                      .split = nullptr,
                                      .enter = nullptr,
                                      .leave = nullptr,
                                      .run = tile<FmaStep<float>>,
                                      .run_columns = tile_columns<FmaStep<float>>};

constexpr TileLoop f32_tile() {
  TileLoop t = kTileFma;
#if defined(__AMX_BF16__)
  t.rows = kAmxRows;
  t.columns = kAmxPanelColumns;
  t.group = 2;
  t.depth = kSplitStep;
  t.chain = 64;
  t.a = t.b = Element::bf16x3;
  t.expand = split_panel<kAmxPanelColumns>;
  t.split = split_rows;
  t.enter = amx_enter;
  t.leave = amx_leave;
  t.run = amx_tile<AmxBf16x3>;
  t.run_columns = amx_tile_split_columns;
#endif
  return t;
}
constexpr TileLoop bf16_tile() {
  TileLoop t = kTileFma;
  t.rounds = true;
  t.b = t.stored = Element::bf16;
  t.run = tile<FmaStep<uint16_t>>;
  t.run_columns = tile_columns<FmaStep<uint16_t>>;
#if defined(__AMX_BF16__)
  t.rows = kAmxRows;
  t.columns = kAmxPanelColumns;
  t.group = 2;
  t.depth = kAmxBytes / 2;
  t.chain = 0;
  t.a = Element::bf16;
  t.enter = amx_enter;
  t.leave = amx_leave;
  t.run = amx_tile<AmxBf16>;
  t.run_columns = amx_tile_columns;
#elif defined(__AVX512BF16__)
  t.group = t.depth = DotBf16Step::kGroup;
  t.a = Element::bf16;
  t.run = tile<DotBf16Step>;
  t.run_columns = tile_columns<DotBf16Step>;
#endif
  return t;
}
constexpr TileLoop f8_tile() {
  TileLoop t = kTileFma;
  t.rounds = true;
  t.expand = expand_f8;
#if defined(__AVX512BF16__)
  t = bf16_tile();
  t.expand = expand_f8_to_bf16;
#endif
  t.stored = Element::f8;
  return t;
}
inline constexpr TileLoop kTileF32 = f32_tile(), kTileBf16 = bf16_tile(), kTileF8 = f8_tile();

constexpr TileLoop int8_tile() {
  TileLoop t = kTileFma;
  t.group = t.depth = Int8Step::kGroup;
  t.a = Int8Step::kGroup == 4 ? Element::u8 : Element::i16;
  t.b = Int8Step::kGroup == 4 ? Element::i8 : Element::i16;
  t.stored = Element::i8;
  t.expand = Int8Step::kGroup == 4 ? nullptr : expand_i8;
  t.rounds = true;
  t.run = tile<Int8Step>;
  t.run_columns = nullptr;
#if defined(__AMX_INT8__)
  t.rows = kAmxRows;
  t.columns = kAmxPanelColumns;
  t.depth = kAmxBytes;
  t.chain = 0;
  t.enter = amx_enter;
  t.leave = amx_leave;
  t.run = amx_tile<AmxInt8>;
#endif
  return t;
}
inline constexpr TileLoop kTileInt8 = int8_tile();

inline constexpr GemmLoops kGemmLoops = {kTileF32, kTileBf16, kTileInt8, kTileF8, finish_tile};

}  // namespace yanrt::cpu::YANRT_ISA
