// What the loops of attention and ring_attention take.
#pragma once

#include <cstddef>
#include <cstdint>

namespace yanrt::cpu {

// Queries of `d` consecutive elements.
struct QueryRows {
  const std::byte* const* x;
  bool x_is_bf16;
  int64_t count, d;
};

// Rows of `d` consecutive elements of values, `stride` elements apart.
struct KeyRows {
  const void* x;
  bool x_is_bf16;
  int64_t stride, count, d;
};

// A place among panels for the tile of f32 or bf16 (kernels/gemm_args.h, TileLoop), before they are expanded: queries
// are columns, keys run along k.
struct PanelPlace {
  void* panels;
  bool is_bf16;        // else f32
  int group;           // TileLoop::group
  int64_t panel_size;  // elements from panel to panel
  int64_t first;       // the key that row 0 becomes
};

// A block of logits, a query in each column of a panel, turned into weights exp(scale * score + mask - max).
struct SoftmaxBlock {
  float* scores;  // [keys][columns]; where the tile reads f32, the weights take their place
  int64_t keys;
  const int32_t* seen;  // [columns]: each query sees the first seen keys of the block; or null: all of them
  const float* mask;    // [rows][columns], added to the logits: row mask_row[j] to those of key j; or null
  const int32_t* mask_row;
  float scale;
  bool rounds;      // weights are rounded to bf16 before they multiply
  uint16_t* pairs;  // where the tile reads bf16: the weights [padded_keys / 2][columns][2], zero after the last key
  int64_t padded_keys;
  float* max;     // [columns], about that of all blocks so far, the origin of weights; updated
  float* sum;     // [columns], of the weights of all blocks so far, relative to max; updated
  float* factor;  // [columns]: by which what earlier blocks added up must be scaled
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
  // Query r becomes column r of a panel.
  void (*pack_queries)(const QueryRows& rows, const PanelPlace& place);
  void (*pack_values)(const KeyRows& rows, const PanelPlace& place);
  void (*softmax_block)(const SoftmaxBlock& block);
  // y[i] = x[i] * factor
  void (*scale_row)(const float* x, float factor, void* y, bool y_is_bf16, int64_t n);
  void (*attend_position)(const PositionArgs& args);
};

}  // namespace yanrt::cpu
