// What the loops of GEMM, of the conversions and of the quantiser take; see kernels/gemm_loops.h and kernels/gemm.h.
#pragma once

#include <cstddef>
#include <cstdint>

namespace yanrt::cpu {

enum class Activation : uint8_t { none, gelu, gelu_tanh, silu, relu };

// n consecutive elements; bf16 as its 16 bits.
struct ConvertLoops {
  void (*f32_to_bf16)(const float* x, uint16_t* y, size_t n);
  void (*bf16_to_f32)(const uint16_t* x, float* y, size_t n);
  void (*round_to_bf16)(const float* x, float* y, size_t n);  // f32 in, f32 out, of bf16's precision
};

// A row as int8 codes offset by 128; returns the scale (core/tensor.h). x is rounded to bf16 first, so that it may as
// well have been stored so. With `peak` 0 the row's largest magnitude is that of code 127, and a row with an infinity
// or NaN gets the scale NaN; else `peak` is, larger values are cut to it, and a row with a NaN gets the scale NaN.
struct QuantiseLoops {
  float (*f32)(const float* x, uint8_t* codes, size_t n, float peak);
  float (*bf16)(const uint16_t* x, uint8_t* codes, size_t n, float peak);
  void (*widen)(const uint8_t* codes, int16_t* y, size_t n);  // y = code - 128
};

// How the elements of a GEMM's operands lie in memory.
enum class Element : uint8_t {
  f32,
  bf16,    // as bits
  bf16x3,  // f32 in three parts (kernels/gemm_split_loops.h), each of 32 k together: 32 highs, 32 mids, 32 lows
  f8,      // E4M3, as bits
  i8,
  u8,  // int8 offset by 128
  i16,
};
constexpr size_t size_of(Element element) {
  switch (element) {
    case Element::f32: return 4;
    case Element::bf16:
    case Element::i16: return 2;
    case Element::bf16x3: return 6;
    case Element::f8:
    case Element::i8:
    case Element::u8: return 1;
  }
  return 0;
}

// What a row of `a` is made of: `count` stretches of `k` elements, a multiple of TileLoop::depth; stretch i starts
// at[i] elements behind the row.
struct Stretches {
  const int64_t* at;
  int64_t count, k;

  static constexpr int64_t kStart = 0;
  static constexpr Stretches whole(int64_t k) { return {&kStart, 1, k}; }
};

// What a call brings into the second-level cache while it computes (kernels/gemm_fetch.h): rows of bytes.
struct Ahead {
  struct Span {
    const std::byte* at = nullptr;
    int64_t bytes = 0, stride = 0, rows = 0;  // of a row, from row to row, and how many of them
  };
  Span spans[3];
};

// Register tiles: acc[rows][columns] (+)= a[rows][k] * panel[k][columns], in f32, or in int32 if `a` is an integer.
struct TileLoop {
  int rows;        // of a tile: `acc` has room for a multiple of it
  int columns;     // width of a panel
  int group;       // consecutive k that stand side by side in a panel: panel[k / group][columns][group]
  int depth;       // k that an instruction takes, a multiple of `group`
  int chain;       // longest k of a call of `run`, whose sums begin at zero; 0: any, as they go on from those before
  Element a;       // activations
  bool rounds;     // which are rounded to bf16, also where `a` is f32
  Element b;       // the panel as `run` reads it
  Element stored;  // and as it is kept: expanded, a block at a time, where that is not `b`
  void (*expand)(const void* stored, void* panel, int64_t n);
  // Where `a` is bf16x3: rows of n elements become its; zeros complete the last 32 of each. Strides in elements. Else
  // null.
  void (*split)(const float* x, int64_t x_stride, int64_t rows, int64_t n, uint16_t* y, int64_t y_stride);
  // Around the calls of `run` in a kernel, on the thread that makes them; null where registers need no preparation.
  void (*enter)();
  void (*leave)();
  // `a_stride` in elements. `resume`: the sums are added to acc; else they overwrite it. Of the panel's columns the
  // first `used` are wanted; if they are half or less, the others may be left out.
  void (*run)(int64_t rows, const void* a, int64_t a_stride, const Stretches& stretches, const void* panel, float* acc,
              bool resume, int64_t used, const Ahead& ahead);
  // The same where `a` is a panel too: its columns are the rows of the tile, k a multiple of `depth`. Where the tile
  // reads bf16x3 that panel is f32, [k][columns]. Null for integers.
  void (*run_columns)(int64_t rows, const void* a, const void* panel, int64_t k, float* acc, bool resume, int64_t used);

  bool is_integer() const { return a == Element::u8 || a == Element::i16; }
};

// y = residual + gate * act(acc * row_scale * scale + bias) for `columns` columns of `rows` rows; a null operand is
// left out. With row_scale, acc holds integers, to which `offset` is added first.
struct FinishArgs {
  const int32_t* offset;   // [columns]
  const float* row_scale;  // of the first row
  int64_t row_scale_stride;
  const float* scale;  // [columns]
  const float* bias;   // [columns]
  Activation act;
  const float* gate;  // row r of the whole matrix takes gate + (r / gate_rows % gate_count) * gate_stride
  int64_t gate_stride, gate_rows, gate_count;
  const float* residual;  // of the first row
  int64_t residual_stride;
  void* y;  // of the first row
  bool y_is_bf16;
  int64_t y_stride;  // in elements
  int64_t first_row;
};

struct GemmLoops {
  TileLoop f32;
  TileLoop bf16;
  TileLoop int8;
  TileLoop fp8;
  void (*finish)(const FinishArgs& args, float* acc, int64_t acc_stride, int64_t rows, int64_t columns);
};

// sums[c] += x[c] * w[c]: one tap of a depthwise convolution (kernels/conv2d_loops.h).
struct DepthwiseLoops {
  void (*tap_f32)(const void* x, const float* w, float* sums, int64_t n);
  void (*tap_bf16)(const void* x, const float* w, float* sums, int64_t n);     // x is bf16
  void (*tap_rounded)(const void* x, const float* w, float* sums, int64_t n);  // x is f32, rounded to bf16
};

}  // namespace yanrt::cpu
