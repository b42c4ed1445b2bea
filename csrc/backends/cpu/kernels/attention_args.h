// What the loops of attention and ring_attention take.
#pragma once

#include <cstdint>

namespace yanrt::cpu {

// Rows of `d` consecutive elements of keys or values, `stride` elements apart.
struct KeyRows {
  const void* x;
  bool x_is_bf16;
  int64_t stride, count, d;
};

// A place among panels for the tile of f32 or bf16 (kernels/gemm_args.h, TileLoop): keys are the columns of the first
// product and the k of the second.
struct PanelPlace {
  void* panels;
  bool is_bf16;        // else f32
  bool rounds;         // which holds numbers rounded to bf16
  int64_t panel_size;  // elements from panel to panel
  int64_t first;       // the key that row 0 becomes
};

// One row of a block of logits, turned into weights: p = exp(scale * score + mask - max).
struct SoftmaxRow {
  const float* scores;  // `columns` of a panel, then panel_stride elements on the next ones
  int64_t columns, panel_stride;
  int64_t seen, padded;  // p is zero in [seen, padded)
  float scale;
  const float* mask;  // or null
  int64_t mask_stride;
  float* p;
  float* max;  // of all blocks so far; updated
  float* sum;  // of the weights of all blocks so far, relative to max; updated
};

// All queries of one position and head over a list of keys. Query i sees the first `seen + i` keys.
struct PositionArgs {
  const void* q;
  int64_t q_stride;
  const void* const* k;
  const void* const* v;
  bool is_bf16;  // q, k and v
  int64_t queries, seen, d;
  float scale;
  const float* bias;  // by distance: the last key a query sees has distance 0; or null
  float* weights;     // scratch, one a key
  void* y;
  bool y_is_bf16;
  int64_t y_stride;
};

struct AttentionLoops {
  void (*pack_keys)(const KeyRows& rows, const PanelPlace& place);
  void (*pack_values)(const KeyRows& rows, const PanelPlace& place);
  // Returns the factor by which what earlier blocks added up must be scaled.
  float (*softmax_row)(const SoftmaxRow& row);
  // y[i] = x[i] * factor
  void (*scale_row)(const float* x, float factor, void* y, bool y_is_bf16, int64_t n);
  void (*attend_position)(const PositionArgs& args);
};

}  // namespace yanrt::cpu
