// What the loops of layer_norm and group_norm take.
#pragma once

#include <cstdint>

#include "backends/cpu/kernels/gemm_args.h"

namespace yanrt::cpu {

// One row: y = (x - mean) * rsqrt(var + eps) * scale + shift; a null scale is 1, a null shift 0.
struct LayerNormArgs {
  const float* x;
  const float* scale;
  const float* shift;
  void* y;
  bool y_is_bf16;
  int64_t n;
  float eps;
};

// Some channels of an NHWC tensor over `rows` pixels, `stride` elements apart in x and y.
struct ChannelRows {
  const float* x;
  int64_t stride, rows, channels;
};
// y = act((x - mean) * scale + shift), one factor a channel.
struct ChannelScale {
  const float* mean;
  const float* scale;
  const float* shift;
  Activation act;
  void* y;
  bool y_is_bf16;
};

struct NormLoops {
  void (*layer_norm)(const LayerNormArgs& args);
  // sum[c] += sum over rows of x - origin[c]; square[c] likewise of its square.
  void (*moments)(const ChannelRows& in, const float* origin, float* sum, float* square);
  void (*scale_channels)(const ChannelRows& in, const ChannelScale& scale);
};

}  // namespace yanrt::cpu
