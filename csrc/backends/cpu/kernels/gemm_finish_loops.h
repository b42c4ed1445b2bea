// The epilogue of GEMM: sums become results.
#pragma once

#include "backends/cpu/isa/simd.h"
#include "backends/cpu/isa/vec_math.h"
#include "backends/cpu/kernels/gemm_args.h"
#include "backends/cpu/kernels/gemm_tile_sizes.h"

namespace yanrt::cpu::YANRT_ISA {

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

// Row `row` of the gates.
YANRT_INLINE const float* gate_of(const FinishArgs& args, int64_t row) {
  return args.gate + (args.first_row + row) / args.gate_rows % args.gate_count * args.gate_stride;
}

// One row of FinishArgs, of any width. `x` is the row of sums, in the cache: each step goes over it once more.
YANRT_INLINE void finish_row(const FinishArgs& args, int64_t row, float* __restrict x, int64_t n) {
  const float* __restrict scale = args.scale;
  const float* __restrict bias = args.bias;
  if (args.row_scale) {
    const float factor = args.row_scale[row * args.row_scale_stride];
    for (int64_t i = 0; i < n; ++i) {
      const uint32_t offset = args.offset ? static_cast<uint32_t>(args.offset[i]) : 0;
      x[i] = static_cast<float>(static_cast<int32_t>(bits_of(x[i]) + offset)) * factor;
    }
  }
  if (scale)
    for (int64_t i = 0; i < n; ++i) x[i] *= scale[i];
  if (bias)
    for (int64_t i = 0; i < n; ++i) x[i] += bias[i];
  activate(args.act, x, n);
  if (args.gate) {
    const float* __restrict gate = gate_of(args, row);
    for (int64_t i = 0; i < n; ++i) x[i] *= gate[i];
  }
  if (args.residual) {
    const float* __restrict residual = args.residual + row * args.residual_stride;
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

// A register of results, rounded to bf16. The instruction turns subnormals into zeros, as the products do.
YANRT_INLINE void store_result(uint16_t* y, Vec v) {
#if defined(__AVX512BF16__)
  const auto rounded = _mm512_cvtneps_pbh(reinterpret_cast<__m512>(v));
  __builtin_memcpy(y, &rounded, sizeof(rounded));
#else
  store(y, v);
#endif
}

// The same for a row of whole registers, in which it stays.
template <int kVecs>
YANRT_INLINE void finish_full_row(const FinishArgs& args, int64_t row, float* x) {
  Vec v[kVecs];
  const auto each = [&v](auto change) {
    for (int j = 0; j < kVecs; ++j) v[j] = change(v[j], j * kLanes);
  };
  each([x](Vec, int at) { return load(x + at); });
  if (args.row_scale) {
    const Vec factor = splat(args.row_scale[row * args.row_scale_stride]);
    each([&](Vec sum, int at) {
      VecInt integers = reinterpret_cast<VecInt>(sum);
      if (args.offset) integers = integers + load_int(args.offset + at);
      return __builtin_convertvector(integers, Vec) * factor;
    });
  }
  if (args.scale) each([&](Vec y, int at) { return y * load(args.scale + at); });
  if (args.bias) each([&](Vec y, int at) { return y + load(args.bias + at); });
  switch (args.act) {
    case Activation::none: break;
    case Activation::gelu_tanh: each([](Vec y, int) { return gelu_tanh(y); }); break;
    case Activation::silu: each([](Vec y, int) { return silu(y); }); break;
    case Activation::relu: each([](Vec y, int) { return relu(y); }); break;
    case Activation::gelu:
      for (int j = 0; j < kVecs; ++j) store(x + j * kLanes, v[j]);
      activate(args.act, x, kVecs * kLanes);
      each([x](Vec, int at) { return load(x + at); });
  }
  if (args.gate) {
    const float* gate = gate_of(args, row);
    each([gate](Vec y, int at) { return y * load(gate + at); });
  }
  if (args.residual) {
    const float* residual = args.residual + row * args.residual_stride;
    each([residual](Vec y, int at) { return y + load(residual + at); });
  }
  for (int j = 0; j < kVecs; ++j) {
    const int64_t at = row * args.y_stride + j * kLanes;
    if (args.y_is_bf16)
      store_result(static_cast<uint16_t*>(args.y) + at, v[j]);
    else
      store(static_cast<float*>(args.y) + at, v[j]);
  }
}

inline void finish_tile(const FinishArgs& args, float* acc, int64_t acc_stride, int64_t rows, int64_t columns) {
  if (columns == kTileColumns)
    for (int64_t row = 0; row < rows; ++row) finish_full_row<kTileVecs>(args, row, acc + row * acc_stride);
  else if (columns == kTileColumns / 2)
    for (int64_t row = 0; row < rows; ++row) finish_full_row<kTileVecs / 2>(args, row, acc + row * acc_stride);
  else
    for (int64_t row = 0; row < rows; ++row) finish_row(args, row, acc + row * acc_stride, columns);
}

}  // namespace yanrt::cpu::YANRT_ISA
