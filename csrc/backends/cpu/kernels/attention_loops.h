// The loops of attention and ring_attention around the matrix products.
#pragma once

#include "backends/cpu/isa/simd.h"
#include "backends/cpu/kernels/attention_args.h"
#include "backends/cpu/kernels/gemm_loops.h"

namespace yanrt::cpu::YANRT_ISA {

YANRT_INLINE void convert(float x, float* y) { *y = x; }
YANRT_INLINE void convert(float x, uint16_t* y) { *y = to_bf16(x); }
YANRT_INLINE void convert(uint16_t x, uint16_t* y) { *y = x; }
YANRT_INLINE void convert(uint16_t x, float* y) { *y = from_bf16(x); }

// Rows become columns: panel[d / kGroup][row][d % kGroup]. Several rows are read side by side, so that writes are
// dense.
template <int kGroup, class From, class To>
YANRT_INLINE void pack_columns_as(const KeyRows& rows, const PanelPlace& place) {
  const auto* x = static_cast<const From*>(rows.x);
  for (int64_t row = 0; row < rows.count;) {
    const int64_t key = place.first + row, column = key % kTileColumns;
    const int64_t space = kTileColumns - column, left = rows.count - row, n = left < space ? left : space;
    To* __restrict to = static_cast<To*>(place.panels) + key / kTileColumns * place.panel_size + column * kGroup;
    for (int64_t i = 0; i < rows.d; i += kGroup, to += kTileColumns * kGroup)
      for (int64_t j = 0; j < n; ++j)
        for (int g = 0; g < kGroup; ++g) {
          if (i + g < rows.d)
            convert(x[(row + j) * rows.stride + i + g], to + j * kGroup + g);
          else
            to[j * kGroup + g] = To{};  // the partner of an odd last element
        }
    row += n;
  }
}

// One row of values, at most kTileColumns of them, every kGroup-th element of `to`.
template <int kGroup, class From, class To>
YANRT_INLINE void pack_value_row(const From* x, To* __restrict to, int64_t n) {
  if (n == kTileColumns)
    for (int64_t i = 0; i < kTileColumns; ++i) convert(x[i], to + i * kGroup);
  else
    for (int64_t i = 0; i < n; ++i) convert(x[i], to + i * kGroup);
}
// Two rows side by side.
template <class From, class To>
YANRT_INLINE void pack_value_pair(const From* x, const From* next, To* __restrict to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    convert(x[i], to + 2 * i);
    convert(next[i], to + 2 * i + 1);
  }
}

// Keys run along k: panel[key / kGroup][d][key % kGroup].
template <int kGroup, class From, class To>
YANRT_INLINE void pack_values_as(const KeyRows& rows, const PanelPlace& place) {
  To* panel = static_cast<To*>(place.panels);
  for (int64_t start = 0; start < rows.d; start += kTileColumns, panel += place.panel_size) {
    const int64_t n = rows.d - start < kTileColumns ? rows.d - start : kTileColumns;
    for (int64_t row = 0; row < rows.count; ++row) {
      const int64_t key = place.first + row;
      const From* x = static_cast<const From*>(rows.x) + row * rows.stride + start;
      To* to = panel + key / kGroup * kTileColumns * kGroup + key % kGroup;
      if (kGroup == 2 && key % 2 == 0 && row + 1 < rows.count) {
        pack_value_pair(x, x + rows.stride, to, n);
        ++row;
      } else {
        pack_value_row<kGroup>(x, to, n);
      }
    }
  }
}

// Calls fn.template operator()<group, From, To>() for the types at hand.
template <class Fn>
YANRT_INLINE void with_types(const KeyRows& rows, const PanelPlace& place, Fn fn) {
  if (place.is_bf16)
    rows.x_is_bf16 ? fn.template operator()<kTileBf16.group, uint16_t, uint16_t>()
                   : fn.template operator()<kTileBf16.group, float, uint16_t>();
  else
    rows.x_is_bf16 ? fn.template operator()<1, uint16_t, float>() : fn.template operator()<1, float, float>();
}

inline void pack_columns(const KeyRows& rows, const PanelPlace& place) {
  with_types(rows, place, [&]<int kGroup, class From, class To>() { pack_columns_as<kGroup, From, To>(rows, place); });
}

inline void pack_values(const KeyRows& rows, const PanelPlace& place) {
  with_types(rows, place, [&]<int kGroup, class From, class To>() { pack_values_as<kGroup, From, To>(rows, place); });
}

// Maximum and sum of a row, lane by lane, then across the lanes: they vectorise, in a fixed order.
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

// The columns [j * kLanes, (j + 1) * kLanes) of a block of logits become exponents: scaled, masked, and -inf where a
// query does not see the key. Returns the largest of each column, or what was larger before.
YANRT_INLINE Vec mask_columns(const SoftmaxBlock& block, int64_t j, Vec high) {
  const Vec scale = splat(block.scale), lowest = splat(kLowest);
  const VecInt seen = block.seen ? load_int(block.seen + j * kLanes) : VecInt{};
  for (int64_t key = 0; key < block.keys; ++key) {
    const int64_t at = key * kTileColumns + j * kLanes;
    Vec x = load(block.scores + at) * scale;
    if (block.mask) x = x + load(block.mask + at);
    if (block.seen) x = seen > splat_int(static_cast<int32_t>(key)) ? x : lowest;
    store(block.scores + at, x);
    high = x > high ? x : high;
  }
  return high;
}

// A row of logits, of all columns, becomes weights; each is added to the sum of its column.
YANRT_INLINE void exp_columns(float* __restrict x, const float* __restrict origin, float* __restrict sum, bool rounds) {
  for (int64_t i = 0; i < kTileColumns; ++i) {
    const float weight = x[i] == kLowest ? 0.0f : exp(x[i] - origin[i]);
    sum[i] += weight;
    x[i] = rounds ? from_bf16(to_bf16(weight)) : weight;
  }
}

// Weights of two keys side by side.
YANRT_INLINE void pair_weights(const SoftmaxBlock& block, int64_t key) {
  const float* x = block.scores + key * kTileColumns;
  uint16_t* __restrict to = block.pairs + key * kTileColumns;
  if (key + 1 < block.keys)
    for (int64_t i = 0; i < kTileColumns; ++i) {
      to[2 * i] = to_bf16(x[i]);
      to[2 * i + 1] = to_bf16(x[kTileColumns + i]);
    }
  else
    for (int64_t i = 0; i < kTileColumns; ++i) {
      to[2 * i] = key < block.keys ? to_bf16(x[i]) : uint16_t{0};
      to[2 * i + 1] = 0;
    }
}

inline void softmax_block(const SoftmaxBlock& block) {
  float origin[kTileColumns], sum[kTileColumns];
  for (int64_t j = 0; j < kTileVecs; ++j) {
    const Vec before = load(block.max + j * kLanes), high = mask_columns(block, j, before);
    store(block.max + j * kLanes, high);
    store(origin + j * kLanes, high == splat(kLowest) ? Vec{} : high);  // nothing to see yet: all weights become 0
    store(block.factor + j * kLanes, before);
  }
  for (int64_t i = 0; i < kTileColumns; ++i) {
    block.factor[i] = block.factor[i] == kLowest ? 0.0f : exp(block.factor[i] - origin[i]);
    sum[i] = block.sum[i] * block.factor[i];
  }
  if (block.rounds)
    for (int64_t key = 0; key < block.keys; ++key) exp_columns(block.scores + key * kTileColumns, origin, sum, true);
  else
    for (int64_t key = 0; key < block.keys; ++key) exp_columns(block.scores + key * kTileColumns, origin, sum, false);
  for (int64_t i = 0; i < kTileColumns; ++i) block.sum[i] = sum[i];
  if (!block.pairs) return;
  for (int64_t key = 0; key < block.padded_keys; key += 2) pair_weights(block, key);
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
  Vec even = {}, odd = {};
  int64_t i = 0;
  for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
    even = fma(load(a + i), load(b + i), even);
    odd = fma(load(a + i + kLanes), load(b + i + kLanes), odd);
  }
  if (i + kLanes <= n) {
    even = fma(load(a + i), load(b + i), even);
    i += kLanes;
  }
  float sum = sum_of(even + odd);
  for (; i < n; ++i) sum = fma(widen(a[i]), widen(b[i]), sum);
  return sum;
}

// y[0 .. kVecs * kLanes) = factor * sum over keys of weights[key] * v[key][at ..], a register for each kLanes elements.
template <int kVecs, class T>
YANRT_INLINE void mix_values(const PositionArgs& args, int64_t seen, int64_t at, float factor, void* y) {
  Vec sum[kVecs] = {};
  for (int64_t key = 0; key < seen; ++key) {
    const T* v = static_cast<const T*>(args.v[key]) + at;
    const Vec weight = splat(args.weights[key]);
    for (int j = 0; j < kVecs; ++j) sum[j] = fma(weight, load(v + j * kLanes), sum[j]);
  }
  float lanes[kVecs * kLanes];
  for (int j = 0; j < kVecs; ++j) store(lanes + j * kLanes, sum[j]);
  scale_row(lanes, factor, y, args.y_is_bf16, kVecs * kLanes);
}

template <class T>
YANRT_INLINE void attend_position_as(const PositionArgs& args) {
  float* weights = args.weights;
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

    const int64_t y_bytes = args.y_is_bf16 ? sizeof(uint16_t) : sizeof(float);
    char* y = static_cast<char*>(args.y) + query * args.y_stride * y_bytes;
    int64_t i = 0;
    for (; i + 4 * kLanes <= args.d; i += 4 * kLanes) mix_values<4, T>(args, seen, i, factor, y + i * y_bytes);
    for (; i + kLanes <= args.d; i += kLanes) mix_values<1, T>(args, seen, i, factor, y + i * y_bytes);
    for (; i < args.d; ++i) {
      float sum = 0.0f;
      for (int64_t key = 0; key < seen; ++key)
        sum = fma(weights[key], widen(static_cast<const T*>(args.v[key])[i]), sum);
      scale_row(&sum, factor, y + i * y_bytes, args.y_is_bf16, 1);
    }
  }
}

inline void attend_position(const PositionArgs& args) {
  args.is_bf16 ? attend_position_as<uint16_t>(args) : attend_position_as<float>(args);
}

inline constexpr AttentionLoops kAttentionLoops = {pack_columns, pack_values, softmax_block, scale_row,
                                                   attend_position};

}  // namespace yanrt::cpu::YANRT_ISA
