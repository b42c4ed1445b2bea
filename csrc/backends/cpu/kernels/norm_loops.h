// The loops of layer_norm and group_norm.
#pragma once

#include "backends/cpu/isa/simd.h"
#include "backends/cpu/kernels/norm_args.h"

namespace yanrt::cpu::YANRT_ISA {

YANRT_INLINE void put(float* y, int64_t i, float value) { y[i] = value; }
YANRT_INLINE void put(uint16_t* y, int64_t i, float value) { y[i] = to_bf16(value); }

// Sum over a row of f(x[i]): four registers of partial sums, then the lanes, then the elements that fill no register.
template <class OfVec, class OfFloat>
YANRT_INLINE float sum_row(const float* x, int64_t n, OfVec of_vec, OfFloat of_float) {
  Vec partial[4] = {};
  int64_t i = 0;
  for (; i + 4 * kLanes <= n; i += 4 * kLanes)
    for (int j = 0; j < 4; ++j) partial[j] = of_vec(partial[j], load(x + i + j * kLanes));
  for (; i + kLanes <= n; i += kLanes) partial[0] = of_vec(partial[0], load(x + i));
  float sum = sum_of((partial[0] + partial[1]) + (partial[2] + partial[3]));
  for (; i < n; ++i) sum += of_float(x[i]);
  return sum;
}

template <class Out>
YANRT_INLINE void write_normalised(const LayerNormArgs& args, float mean, float factor) {
  const float* x = args.x;
  const float* scale = args.scale;
  const float* shift = args.shift;
  auto* __restrict y = static_cast<Out*>(args.y);
  if (scale && shift) {
    for (int64_t i = 0; i < args.n; ++i) put(y, i, fma((x[i] - mean) * factor, scale[i], shift[i]));
  } else if (scale) {
    for (int64_t i = 0; i < args.n; ++i) put(y, i, (x[i] - mean) * factor * scale[i]);
  } else if (shift) {
    for (int64_t i = 0; i < args.n; ++i) put(y, i, fma(x[i] - mean, factor, shift[i]));
  } else {
    for (int64_t i = 0; i < args.n; ++i) put(y, i, (x[i] - mean) * factor);
  }
}

// The row stays in the first-level cache: mean and variance take a pass each, so that nothing cancels.
inline void layer_norm(const LayerNormArgs& args) {
  const auto n = static_cast<float>(args.n);
  const float mean = sum_row(args.x, args.n, [](Vec sum, Vec x) { return sum + x; }, [](float x) { return x; }) / n;
  const Vec means = splat(mean);
  const float variance = sum_row(
                             args.x, args.n, [means](Vec sum, Vec x) { return fma(x - means, x - means, sum); },
                             [mean](float x) { return (x - mean) * (x - mean); }) /
                         n;
  const float factor = 1.0f / __builtin_sqrtf(variance + args.eps);
  if (args.y_is_bf16)
    write_normalised<uint16_t>(args, mean, factor);
  else
    write_normalised<float>(args, mean, factor);
}

inline void channel_moments(const ChannelRows& in, const float* origin, float* __restrict sum,
                            float* __restrict square) {
  for (int64_t r = 0; r < in.rows; ++r) {
    const float* x = in.x + r * in.stride;
    for (int64_t c = 0; c < in.channels; ++c) {
      const float d = x[c] - origin[c];
      sum[c] += d;
      square[c] = fma(d, d, square[c]);
    }
  }
}

template <class Out, class Act>
YANRT_INLINE void scale_rows(const ChannelRows& in, const ChannelScale& scale, Act act) {
  for (int64_t r = 0; r < in.rows; ++r) {
    const float* x = in.x + r * in.stride;
    auto* __restrict y = static_cast<Out*>(scale.y) + r * in.stride;
    for (int64_t c = 0; c < in.channels; ++c) put(y, c, act(fma(x[c] - scale.mean[c], scale.scale[c], scale.shift[c])));
  }
}

template <class Out>
YANRT_INLINE void scale_channels_to(const ChannelRows& in, const ChannelScale& scale) {
  switch (scale.act) {
    case Activation::none: return scale_rows<Out>(in, scale, [](float x) { return x; });
    case Activation::gelu: return scale_rows<Out>(in, scale, [](float x) { return gelu(x); });
    case Activation::gelu_tanh: return scale_rows<Out>(in, scale, [](float x) { return gelu_tanh(x); });
    case Activation::silu: return scale_rows<Out>(in, scale, [](float x) { return silu(x); });
    case Activation::relu: return scale_rows<Out>(in, scale, [](float x) { return relu(x); });
  }
}

inline void scale_channels(const ChannelRows& in, const ChannelScale& scale) {
  if (scale.y_is_bf16)
    scale_channels_to<uint16_t>(in, scale);
  else
    scale_channels_to<float>(in, scale);
}

inline constexpr NormLoops kNormLoops = {layer_norm, channel_moments, scale_channels};

}  // namespace yanrt::cpu::YANRT_ISA
