// The register tiles of GEMM and the epilogue that finishes them. Each element of a tile is one chain of multiply-adds
// in the order of k, whatever the number of rows in the call: a row's bits do not depend on its tile.
#pragma once

#include "backends/cpu/isa/simd.h"
#include "backends/cpu/kernels/gemm_args.h"

namespace yanrt::cpu::YANRT_ISA {

// Tile sizes that keep the sums, one row of the panel and one element of `a` in registers.
#if defined(__AVX512F__)
inline constexpr int kTileRows = 6, kTileVecs = 4;  // 24 + 4 + 1 of 32 registers
#elif defined(__AVX2__)
inline constexpr int kTileRows = 6, kTileVecs = 2;  // 12 + 2 + 1 of 16
#else
inline constexpr int kTileRows = 4, kTileVecs = 2;  // 8 + 2 + 1 of 16
#endif
inline constexpr int kTileColumns = kTileVecs * kLanes;

template <int kRows>
struct TileSums {
  Vec sum[kRows][kTileVecs];

  YANRT_INLINE void start(const float* acc, bool resume) {
    for (int i = 0; i < kRows; ++i)
      for (int j = 0; j < kTileVecs; ++j) sum[i][j] = resume ? load(acc + i * kTileColumns + j * kLanes) : Vec{};
  }
  YANRT_INLINE void finish(float* acc) const {
    for (int i = 0; i < kRows; ++i)
      for (int j = 0; j < kTileVecs; ++j) store(acc + i * kTileColumns + j * kLanes, sum[i][j]);
  }
};

// f32 activations; the panel holds f32, or bf16 that is widened as it is read.
template <int kRows, class Weight>
YANRT_INLINE void fma_rows(const float* a, int64_t a_stride, const Weight* panel, int64_t k, float* acc, bool resume) {
  TileSums<kRows> t;
  t.start(acc, resume);
  for (int64_t p = 0; p < k; ++p) {
    Vec w[kTileVecs];
    for (int j = 0; j < kTileVecs; ++j) w[j] = load(panel + p * kTileColumns + j * kLanes);
    for (int i = 0; i < kRows; ++i) {
      const Vec x = splat(a[i * a_stride + p]);
      for (int j = 0; j < kTileVecs; ++j) t.sum[i][j] = fma(x, w[j], t.sum[i][j]);
    }
  }
  t.finish(acc);
}

#if defined(__AVX512BF16__)
// bf16 activations and weights in pairs along k: each instruction adds two products to a sum.
template <int kRows>
YANRT_INLINE void dot_rows(const uint16_t* a, int64_t a_stride, const uint16_t* panel, int64_t k, float* acc,
                           bool resume) {
  TileSums<kRows> t;
  t.start(acc, resume);
  for (int64_t p = 0; p < k; p += 2) {
    __m512bh w[kTileVecs];
    for (int j = 0; j < kTileVecs; ++j)
      w[j] = reinterpret_cast<__m512bh>(_mm512_loadu_si512(panel + p * kTileColumns + 2 * j * kLanes));
    for (int i = 0; i < kRows; ++i) {
      int32_t pair;
      __builtin_memcpy(&pair, a + i * a_stride + p, sizeof(pair));
      const __m512bh x = reinterpret_cast<__m512bh>(_mm512_set1_epi32(pair));
      for (int j = 0; j < kTileVecs; ++j)
        t.sum[i][j] = reinterpret_cast<Vec>(_mm512_dpbf16_ps(reinterpret_cast<__m512>(t.sum[i][j]), x, w[j]));
    }
  }
  t.finish(acc);
}
#endif

// Calls fn.template operator()<rows>().
template <class Fn>
YANRT_INLINE void with_rows(int rows, Fn fn) {
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

template <class Weight>
void fma_tile(int rows, const void* a, int64_t a_stride, const void* panel, int64_t k, float* acc, bool resume) {
  with_rows(rows, [&]<int kRows>() {
    fma_rows<kRows>(static_cast<const float*>(a), a_stride, static_cast<const Weight*>(panel), k, acc, resume);
  });
}

inline constexpr TileLoop kTileF32 = {kTileRows, kTileColumns, 1, false, false, fma_tile<float>};
#if defined(__AVX512BF16__)
inline void dot_tile(int rows, const void* a, int64_t a_stride, const void* panel, int64_t k, float* acc, bool resume) {
  with_rows(rows, [&]<int kRows>() {
    dot_rows<kRows>(static_cast<const uint16_t*>(a), a_stride, static_cast<const uint16_t*>(panel), k, acc, resume);
  });
}
inline constexpr TileLoop kTileBf16 = {kTileRows, kTileColumns, 2, true, true, dot_tile};
#else
inline constexpr TileLoop kTileBf16 = {kTileRows, kTileColumns, 1, false, true, fma_tile<uint16_t>};
#endif

YANRT_INLINE void activate(Activation act, float* __restrict x, int64_t n) {
  switch (act) {
    case Activation::none: return;
    case Activation::gelu:
      for (int64_t i = 0; i < n; ++i) x[i] = gelu(x[i]);
      return;
    case Activation::gelu_tanh:
      for (int64_t i = 0; i < n; ++i) x[i] = gelu_tanh(x[i]);
      return;
    case Activation::silu:
      for (int64_t i = 0; i < n; ++i) x[i] = silu(x[i]);
      return;
    case Activation::relu:
      for (int64_t i = 0; i < n; ++i) x[i] = relu(x[i]);
      return;
  }
}

// One row of FinishArgs. `x` is the row of sums, in the cache: each step goes over it once more.
inline void finish_row(const FinishArgs& args, int64_t row, float* __restrict x, int64_t n) {
  const float* __restrict scale = args.scale;
  const float* __restrict bias = args.bias;
  if (scale)
    for (int64_t i = 0; i < n; ++i) x[i] *= scale[i];
  if (bias)
    for (int64_t i = 0; i < n; ++i) x[i] += bias[i];
  activate(args.act, x, n);
  if (args.gate) {
    const int64_t entry = (args.first_row + row) / args.gate_rows % args.gate_count;
    const float* __restrict gate = args.gate + entry * args.gate_stride;
    for (int64_t i = 0; i < n; ++i) x[i] *= gate[i];
  }
  if (args.residual) {
    const float* __restrict residual = args.residual + row * args.y_stride;
    for (int64_t i = 0; i < n; ++i) x[i] += residual[i];
  }
  if (args.y_is_bf16) {
    uint16_t* __restrict y = static_cast<uint16_t*>(args.y) + row * args.y_stride;
    for (int64_t i = 0; i < n; ++i) y[i] = to_bf16(x[i]);
  } else {
    float* __restrict y = static_cast<float*>(args.y) + row * args.y_stride;
    for (int64_t i = 0; i < n; ++i) y[i] = x[i];
  }
}

inline void finish_tile(const FinishArgs& args, float* acc, int64_t acc_stride, int64_t rows, int64_t columns) {
  for (int64_t row = 0; row < rows; ++row) finish_row(args, row, acc + row * acc_stride, columns);
}

inline constexpr GemmLoops kGemmLoops = {kTileF32, kTileBf16, finish_tile};

}  // namespace yanrt::cpu::YANRT_ISA
