// The loops of attention and ring_attention around the matrix products.
#pragma once

#include "backends/cpu/isa/simd.h"
#include "backends/cpu/kernels/attention_args.h"

namespace yanrt::cpu::YANRT_ISA {

YANRT_INLINE void convert(float x, float* y) { *y = x; }
YANRT_INLINE void convert(float x, uint16_t* y) { *y = to_bf16(x); }
YANRT_INLINE void convert(uint16_t x, uint16_t* y) { *y = x; }
YANRT_INLINE void convert(uint16_t x, float* y) { *y = from_bf16(x); }

// Calls fn(from, to) with the pointers in their types.
template <class Fn>
YANRT_INLINE void with_types(const KeyRows& rows, const PanelPlace& place, Fn fn) {
  if (place.is_bf16) {
    auto* to = static_cast<uint16_t*>(place.panels);
    rows.x_is_bf16 ? fn(static_cast<const uint16_t*>(rows.x), to) : fn(static_cast<const float*>(rows.x), to);
  } else {
    auto* to = static_cast<float*>(place.panels);
    rows.x_is_bf16 ? fn(static_cast<const uint16_t*>(rows.x), to) : fn(static_cast<const float*>(rows.x), to);
  }
}

// Keys become columns: panel[d / group][key][d % group].
inline void pack_keys(const KeyRows& rows, const PanelPlace& place) {
  with_types(rows, place, [&](const auto* from, auto* to) {
    const int64_t step = place.columns * place.group;
    for (int64_t row = 0; row < rows.count; ++row) {
      const int64_t key = place.first + row;
      auto* column = to + key / place.columns * place.panel_size + key % place.columns * place.group;
      const auto* x = from + row * rows.stride;
      if (place.group == 2) {
        for (int64_t i = 0; i + 1 < rows.d; i += 2) {
          convert(x[i], column + i / 2 * step);
          convert(x[i + 1], column + i / 2 * step + 1);
        }
        if (rows.d % 2) {
          convert(x[rows.d - 1], column + rows.d / 2 * step);
          column[rows.d / 2 * step + 1] = 0;  // the partner of an odd last element
        }
      } else {
        for (int64_t i = 0; i < rows.d; ++i) convert(x[i], column + i * step);
      }
    }
  });
}

// Keys run along k: panel[key / group][d][key % group].
inline void pack_values(const KeyRows& rows, const PanelPlace& place) {
  with_types(rows, place, [&](const auto* from, auto* to) {
    const int64_t group = place.group;
    for (int64_t start = 0; start < rows.d; start += place.columns, to += place.panel_size) {
      const int64_t n = rows.d - start < place.columns ? rows.d - start : place.columns;
      for (int64_t row = 0; row < rows.count; ++row) {
        const int64_t key = place.first + row;
        const auto* x = from + row * rows.stride + start;
        auto* y = to + key / group * place.columns * group + key % group;
        if (group == 2 && key % 2 == 0 && row + 1 < rows.count) {  // two keys side by side
          const auto* next = x + rows.stride;
          for (int64_t i = 0; i < n; ++i) {
            convert(x[i], y + 2 * i);
            convert(next[i], y + 2 * i + 1);
          }
          ++row;
        } else {
          for (int64_t i = 0; i < n; ++i) convert(x[i], y + i * group);
        }
      }
    }
  });
}

// Maximum and sum in four registers' worth of lanes, so that they vectorise in a fixed order.
YANRT_INLINE float max_of_row(const float* x, int64_t n, float start) {
  Vec high = splat(start);
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const Vec v = load(x + i);
    high = v > high ? v : high;
  }
  float result = max_of(high);
  for (; i < n; ++i) result = x[i] > result ? x[i] : result;
  return result;
}
YANRT_INLINE float sum_of_row(const float* x, int64_t n) {
  Vec partial = {};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) partial = partial + load(x + i);
  float sum = sum_of(partial);
  for (; i < n; ++i) sum += x[i];
  return sum;
}

inline constexpr float kLowest = -__builtin_inff();

inline float softmax_row(const SoftmaxRow& row) {
  float* __restrict p = row.p;
  for (int64_t start = 0; start < row.seen; start += row.columns) {
    const float* scores = row.scores + start / row.columns * row.panel_stride;
    const int64_t n = row.seen - start < row.columns ? row.seen - start : row.columns;
    const float* mask = row.mask ? row.mask + start * row.mask_stride : nullptr;
    if (!mask) {
      for (int64_t i = 0; i < n; ++i) p[start + i] = scores[i] * row.scale;
    } else if (row.mask_stride == 1) {
      for (int64_t i = 0; i < n; ++i) p[start + i] = fma(scores[i], row.scale, mask[i]);
    } else {
      for (int64_t i = 0; i < n; ++i) p[start + i] = fma(scores[i], row.scale, mask[i * row.mask_stride]);
    }
  }
  const float before = *row.max, high = max_of_row(p, row.seen, before);
  const float origin = high == kLowest ? 0.0f : high;  // nothing to see yet: all weights become 0
  for (int64_t i = 0; i < row.seen; ++i) p[i] = exp(p[i] - origin);
  for (int64_t i = row.seen; i < row.padded; ++i) p[i] = 0.0f;
  const float factor = before == kLowest ? 0.0f : exp(before - origin);
  *row.sum = fma(*row.sum, factor, sum_of_row(p, row.seen));
  *row.max = high;
  return factor;
}

inline void scale_row(const float* x, float factor, void* y, bool y_is_bf16, int64_t n) {
  if (y_is_bf16) {
    auto* __restrict to = static_cast<uint16_t*>(y);
    for (int64_t i = 0; i < n; ++i) to[i] = to_bf16(x[i] * factor);
  } else {
    auto* to = static_cast<float*>(y);  // may be x
    for (int64_t i = 0; i < n; ++i) to[i] = x[i] * factor;
  }
}

YANRT_INLINE float widen(float x) { return x; }
YANRT_INLINE float widen(uint16_t x) { return from_bf16(x); }

template <class T>
YANRT_INLINE float dot(const T* a, const T* b, int64_t n) {
  Vec partial = {};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) partial = fma(load(a + i), load(b + i), partial);
  float sum = sum_of(partial);
  for (; i < n; ++i) sum = fma(widen(a[i]), widen(b[i]), sum);
  return sum;
}

template <class T>
YANRT_INLINE void attend_position_as(const PositionArgs& args) {
  float* __restrict weights = args.weights;
  for (int64_t query = 0; query < args.queries; ++query) {
    const int64_t seen = args.seen + query;
    const T* q = static_cast<const T*>(args.q) + query * args.q_stride;
    for (int64_t key = 0; key < seen; ++key) {
      const float bias = args.bias ? args.bias[seen - 1 - key] : 0.0f;
      weights[key] = fma(dot(q, static_cast<const T*>(args.k[key]), args.d), args.scale, bias);
    }
    const float high = max_of_row(weights, seen, kLowest);
    for (int64_t key = 0; key < seen; ++key) weights[key] = exp(weights[key] - high);
    const float factor = 1.0f / sum_of_row(weights, seen);

    float* y_f32 = static_cast<float*>(args.y) + query * args.y_stride;
    uint16_t* y_bf16 = static_cast<uint16_t*>(args.y) + query * args.y_stride;
    int64_t i = 0;
    for (; i + kLanes <= args.d; i += kLanes) {
      Vec sum = {};
      for (int64_t key = 0; key < seen; ++key)
        sum = fma(splat(weights[key]), load(static_cast<const T*>(args.v[key]) + i), sum);
      float lanes[kLanes];
      store(lanes, sum);
      args.y_is_bf16 ? scale_row(lanes, factor, y_bf16 + i, true, kLanes)
                     : scale_row(lanes, factor, y_f32 + i, false, kLanes);
    }
    for (; i < args.d; ++i) {
      float sum = 0.0f;
      for (int64_t key = 0; key < seen; ++key)
        sum = fma(weights[key], widen(static_cast<const T*>(args.v[key])[i]), sum);
      args.y_is_bf16 ? convert(sum * factor, y_bf16 + i) : convert(sum * factor, y_f32 + i);
    }
  }
}

inline void attend_position(const PositionArgs& args) {
  args.is_bf16 ? attend_position_as<uint16_t>(args) : attend_position_as<float>(args);
}

inline constexpr AttentionLoops kAttentionLoops = {pack_keys, pack_values, softmax_row, scale_row, attend_position};

}  // namespace yanrt::cpu::YANRT_ISA
