// What the loops of reduce, softmax and rms_norm take.
#pragma once

#include <cstdint>

#include "backends/cpu/kernels/norm_args.h"

namespace yanrt::cpu {

// y[c] = f(y[c], x[r * stride + c]) for one row r after the other, over n columns.
template <class T>
struct FoldLoops {
  void (*sum)(const T* x, int64_t stride, int64_t rows, T* y, int64_t n);
  void (*max)(const T* x, int64_t stride, int64_t rows, T* y, int64_t n);
  void (*min)(const T* x, int64_t stride, int64_t rows, T* y, int64_t n);
};

struct RowLoops {
  FoldLoops<float> fold_real;
  FoldLoops<int64_t> fold_integer;
  // y = e^x / sum e^x over one row; zeros if all of x is minus infinity.
  void (*softmax)(const float* x, float* y, int64_t n);
  // As layer_norm, without the mean.
  void (*rms_norm)(const LayerNormArgs& args);
};

}  // namespace yanrt::cpu
