// What the loops of GEMM and of the conversions take; see kernels/gemm_loops.h and kernels/gemm.h.
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

// One register tile: acc[rows][columns] (+)= a[rows][k] * panel[k][columns].
struct TileLoop {
  int rows;        // at most this many a call
  int columns;     // width of a panel
  int group;       // consecutive k that stand side by side in a panel: panel[k / group][columns][group]
  bool a_is_bf16;  // else f32
  bool b_is_bf16;  // else f32
  // `a_stride` in elements. k is a multiple of `group`. `resume`: acc holds the sum so far; else it is overwritten.
  void (*run)(int rows, const void* a, int64_t a_stride, const void* panel, int64_t k, float* acc, bool resume);
};

// y = residual + gate * act(acc * scale + bias) for `columns` columns of `rows` rows; a null operand is left out.
struct FinishArgs {
  const float* scale;  // [columns]
  const float* bias;   // [columns]
  Activation act;
  const float* gate;  // row r of the whole matrix takes gate + (r / gate_rows % gate_count) * gate_stride
  int64_t gate_stride, gate_rows, gate_count;
  const float* residual;  // of the first row
  void* y;                // of the first row
  bool y_is_bf16;
  int64_t y_stride;  // of y and residual, in elements
  int64_t first_row;
};

struct GemmLoops {
  TileLoop f32;
  TileLoop bf16;
  void (*finish)(const FinishArgs& args, float* acc, int64_t acc_stride, int64_t rows, int64_t columns);
};

// sums[c] += x[c] * w[c]: one tap of a depthwise convolution (kernels/conv2d_loops.h).
struct DepthwiseLoops {
  void (*tap_f32)(const void* x, const float* w, float* sums, int64_t n);
  void (*tap_bf16)(const void* x, const float* w, float* sums, int64_t n);     // x is bf16
  void (*tap_rounded)(const void* x, const float* w, float* sums, int64_t n);  // x is f32, rounded to bf16
};

}  // namespace yanrt::cpu
