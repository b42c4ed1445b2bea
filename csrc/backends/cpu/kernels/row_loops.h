// The loops of reduce, softmax and rms_norm.
#pragma once

#include "backends/cpu/isa/simd.h"
#include "backends/cpu/kernels/norm_loops.h"
#include "backends/cpu/kernels/pointwise_loops.h"
#include "backends/cpu/kernels/row_args.h"

namespace yanrt::cpu::YANRT_ISA {

template <auto function, class T>
void fold_rows(const T* x, int64_t stride, int64_t rows, T* __restrict y, int64_t n) {
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < n; ++c) y[c] = function(y[c], x[r * stride + c]);
}

YANRT_INLINE Vec larger(Vec a, Vec b) { return a > b ? a : b; }

// NaN in a row gives a row of NaN, by way of the sum.
inline void softmax(const float* x, float* __restrict y, int64_t n) {
  Vec high = splat(-kInfinity);
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) high = larger(high, load(x + i));
  float max = max_of(high);
  for (; i < n; ++i) max = x[i] > max ? x[i] : max;
  if (max == -kInfinity) max = 0.0f;  // -inf - 0 is no NaN
  for (i = 0; i < n; ++i) y[i] = exp(x[i] - max);
  const float sum = sum_row(y, n, [](Vec s, Vec v) { return s + v; }, [](float v) { return v; });
  const float factor = sum == 0.0f ? 0.0f : 1.0f / sum;
  for (i = 0; i < n; ++i) y[i] *= factor;
}

inline void rms_norm(const LayerNormArgs& args) {
  const float squares =
      sum_row(args.x, args.n, [](Vec sum, Vec x) { return fma(x, x, sum); }, [](float x) { return x * x; });
  const float factor = 1.0f / __builtin_sqrtf(squares / static_cast<float>(args.n) + args.eps);
  if (args.y_is_bf16)
    write_normalised<uint16_t>(args, 0.0f, factor);
  else
    write_normalised<float>(args, 0.0f, factor);
}

inline constexpr RowLoops kRowLoops = {
    .fold_real = {fold_rows<[](float a, float b) { return a + b; }, float>,
                  fold_rows<[](float a, float b) { return max_of(a, b); }, float>,
                  fold_rows<[](float a, float b) { return min_of(a, b); }, float>},
    .fold_integer =
        {fold_rows<[](int64_t a, int64_t b) { return wrap(static_cast<uint64_t>(a) + static_cast<uint64_t>(b)); },
                   int64_t>,
         fold_rows<[](int64_t a, int64_t b) { return max_of(a, b); }, int64_t>,
         fold_rows<[](int64_t a, int64_t b) { return min_of(a, b); }, int64_t>},
    .softmax = softmax,
    .rms_norm = rms_norm,
};

}  // namespace yanrt::cpu::YANRT_ISA
