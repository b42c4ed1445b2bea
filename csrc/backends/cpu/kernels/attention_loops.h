// The loops of attention and ring_attention around the matrix products.
#pragma once

#include "backends/cpu/isa/simd.h"
#include "backends/cpu/isa/vec_math.h"
#include "backends/cpu/kernels/attention_args.h"
#include "backends/cpu/kernels/gemm_loops.h"

namespace yanrt::cpu::YANRT_ISA {

YANRT_INLINE void convert(float x, float* y) { *y = x; }
YANRT_INLINE void convert(float x, uint16_t* y) { *y = to_bf16(x); }
YANRT_INLINE void convert(uint16_t x, uint16_t* y) { *y = x; }
YANRT_INLINE void convert(uint16_t x, float* y) { *y = from_bf16(x); }

// Element i of a row becomes panel[i / kGroup][column][i % kGroup]; the partner of an odd last element becomes zero.
template <int kGroup, class From, class To>
YANRT_INLINE void pack_column(const From* x, To* panel, int64_t column, int64_t first, int64_t d) {
  for (int64_t i = first; i < d; i += kGroup)
    for (int g = 0; g < kGroup; ++g) {
      To* to = panel + i * kTileColumns + column * kGroup + g;
      if (i + g < d)
        convert(x[i + g], to);
      else
        *to = To{};
    }
}

// x[0], y[0], x[1], y[1], ...
YANRT_INLINE void store_interleaved(float* to, VecInt x, VecInt y) {
  VecInt low, high;
  for (int i = 0; i < kLanes; ++i) {
    low[i] = i / 2 + (i % 2 ? kLanes : 0);
    high[i] = low[i] + kLanes / 2;
  }
  store(to, reinterpret_cast<Vec>(__builtin_shuffle(x, y, low)));
  store(to + kLanes, reinterpret_cast<Vec>(__builtin_shuffle(x, y, high)));
}

template <int kGroup, class From, class To>
YANRT_INLINE void pack_queries_as(const QueryRows& rows, To* panel) {
  int64_t done = 0, length = 0;  // rows and elements that went in squares of words
  if constexpr (sizeof(From) == sizeof(float) && sizeof(To) == sizeof(float) && kGroup == 2) {
    length = rows.d / kLanes * kLanes;
    for (; done + kLanes <= rows.count; done += kLanes)
      for (int64_t i = 0; i < length; i += kLanes) {
        VecInt square[kLanes];
        for (int j = 0; j < kLanes; ++j) square[j] = load_int(reinterpret_cast<const From*>(rows.x[done + j]) + i);
        transpose(square);
        for (int j = 0; j < kLanes; j += 2)
          store_interleaved(panel + (i + j) * kTileColumns + done * kGroup, square[j], square[j + 1]);
      }
  } else if constexpr (sizeof(From) * kGroup == sizeof(int32_t) && sizeof(From) == sizeof(To)) {
    length = rows.d / (kLanes * kGroup) * (kLanes * kGroup);
    for (; done + kLanes <= rows.count; done += kLanes)
      for (int64_t i = 0; i < length; i += kLanes * kGroup) {
        VecInt square[kLanes];
        for (int j = 0; j < kLanes; ++j) square[j] = load_int(reinterpret_cast<const From*>(rows.x[done + j]) + i);
        transpose(square);
        for (int j = 0; j < kLanes; ++j)
          __builtin_memcpy(panel + (i + j * kGroup) * kTileColumns + done * kGroup, &square[j], sizeof(VecInt));
      }
  }
  for (int64_t row = 0; row < rows.count; ++row)
    pack_column<kGroup>(reinterpret_cast<const From*>(rows.x[row]), panel, row, row < done ? length : 0, rows.d);
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
YANRT_INLINE void with_types(bool from_bf16, const PanelPlace& place, Fn fn) {
  if (place.is_bf16)
    from_bf16 ? fn.template operator()<kTileBf16.group, uint16_t, uint16_t>()
              : fn.template operator()<kTileBf16.group, float, uint16_t>();
  else if (place.group == 2)
    from_bf16 ? fn.template operator()<2, uint16_t, float>() : fn.template operator()<2, float, float>();
  else
    from_bf16 ? fn.template operator()<1, uint16_t, float>() : fn.template operator()<1, float, float>();
}

inline void pack_queries(const QueryRows& rows, const PanelPlace& place) {
  with_types(rows.x_is_bf16, place, [&]<int kGroup, class From, class To>() {
    pack_queries_as<kGroup, From>(rows, static_cast<To*>(place.panels));
  });
}

inline void pack_values(const KeyRows& rows, const PanelPlace& place) {
  with_types(rows.x_is_bf16, place,
             [&]<int kGroup, class From, class To>() { pack_values_as<kGroup, From, To>(rows, place); });
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

// The logits of a key for all columns, as powers of two: scaled, masked, and -inf where a query does not see the key.
template <bool kSeen>
YANRT_INLINE void mask_key(const SoftmaxBlock& block, int64_t key, Vec (&x)[kTileVecs]) {
  const float* scores = block.scores + key * kTileColumns;
  const float* mask = block.mask ? block.mask + block.mask_row[key] * kTileColumns : nullptr;
  const Vec scale = splat(block.scale * kLog2E);
  for (int j = 0; j < kTileVecs; ++j) {
    x[j] = load(scores + j * kLanes) * scale;
    if (mask) x[j] = fma(load(mask + j * kLanes), splat(kLog2E), x[j]);
    if (kSeen) x[j] = load_int(block.seen + j * kLanes) > splat_int(static_cast<int32_t>(key)) ? x[j] : splat(kLowest);
  }
}

// Masks all logits in place and raises `high` to the largest of each column.
template <bool kSeen>
YANRT_INLINE void mask_block(const SoftmaxBlock& block, Vec (&high)[kTileVecs]) {
  for (int64_t key = 0; key < block.keys; ++key) {
    Vec x[kTileVecs];
    mask_key<kSeen>(block, key, x);
    for (int j = 0; j < kTileVecs; ++j) {
      store(block.scores + key * kTileColumns + j * kLanes, x[j]);
      high[j] = x[j] > high[j] ? x[j] : high[j];
    }
  }
}

// The weights of a key for all columns, from masked logits; adds them to the columns' sums.
template <class Accuracy>
YANRT_INLINE void weigh_key(const float* scores, const Vec (&origin)[kTileVecs], Vec (&sum)[kTileVecs],
                            Vec (&weight)[kTileVecs]) {
  for (int j = 0; j < kTileVecs; ++j) {
    weight[j] = exp2_of_nonpositive<Accuracy>(load(scores + j * kLanes) - origin[j]);
    sum[j] = sum[j] + weight[j];
  }
}

template <class Accuracy, bool kRounds>
YANRT_INLINE void weigh_in_place(const SoftmaxBlock& block, const Vec (&origin)[kTileVecs], Vec (&sum)[kTileVecs]) {
  for (int64_t key = 0; key < block.keys; ++key) {
    float* scores = block.scores + key * kTileColumns;
    Vec weight[kTileVecs];
    weigh_key<Accuracy>(scores, origin, sum, weight);
    for (int j = 0; j < kTileVecs; ++j) store(scores + j * kLanes, kRounds ? rounded_to_bf16(weight[j]) : weight[j]);
  }
}

// Weights are powers of two of what a logit lies above the column's origin. That is the largest logit so far, unless it
// exceeds the former origin by less than this: weights may as well be larger than 1, and sums need no new scale.
inline constexpr float kSlack = 8.0f;

inline void softmax_block(const SoftmaxBlock& block) {
  Vec high[kTileVecs], origin[kTileVecs], sum[kTileVecs];
  for (int j = 0; j < kTileVecs; ++j) high[j] = load(block.max + j * kLanes);
  block.seen ? mask_block<true>(block, high) : mask_block<false>(block, high);
  for (int j = 0; j < kTileVecs; ++j) {
    const Vec former = load(block.max + j * kLanes);
    high[j] = high[j] > former + splat(kSlack) ? high[j] : former;
    origin[j] = high[j] == splat(kLowest) ? Vec{} : high[j];  // nothing to see yet: all weights become 0
    const Vec factor = exp2_of_nonpositive<Exact>(former - origin[j]);
    sum[j] = load(block.sum + j * kLanes) * factor;
    store(block.max + j * kLanes, high[j]);
    store(block.factor + j * kLanes, factor);
  }
  if (block.pairs) {
    for (int64_t key = 0; key < block.padded_keys; key += 2) {
      Vec even[kTileVecs] = {}, odd[kTileVecs] = {};
      if (key < block.keys) weigh_key<Coarse>(block.scores + key * kTileColumns, origin, sum, even);
      if (key + 1 < block.keys) weigh_key<Coarse>(block.scores + (key + 1) * kTileColumns, origin, sum, odd);
      for (int j = 0; j < kTileVecs; ++j)
        store_pairs(block.pairs + key * kTileColumns + 2 * j * kLanes, even[j], odd[j]);
    }
  } else {
    block.rounds ? weigh_in_place<Coarse, true>(block, origin, sum) : weigh_in_place<Exact, false>(block, origin, sum);
  }
  for (int j = 0; j < kTileVecs; ++j) store(block.sum + j * kLanes, sum[j]);
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

inline constexpr AttentionLoops kAttentionLoops = {pack_queries, pack_values, softmax_block, scale_row,
                                                   attend_position};

}  // namespace yanrt::cpu::YANRT_ISA
