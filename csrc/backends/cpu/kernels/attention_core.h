// softmax(scale * q k^T + mask) v for one head: what attention and ring_attention share.
//
// The keys of a head are brought into rows, and its values into panels, once, in the form of the GEMM's register tile.
// Queries come in blocks, one a column of a panel: the tile makes logits of six keys by all queries of the block at a
// time, maxima, exponents and sums run down the columns, and the weights are then the left matrix of the product with
// the values. A block meets the keys in blocks too, with a running maximum and sum (online softmax, Milakov and
// Gimelshein 2018), so memory does not grow with the square of the length. A query's arithmetic stays in its column: it
// does not depend on its neighbours.
#pragma once

#include "backends/cpu/isa/loops.h"
#include "backends/cpu/kernel.h"
#include "backends/cpu/kernels/gemm.h"

namespace yanrt::cpu {

// Keys or values of one head.
struct HeadRows {
  DType type;
  const std::byte* x;
  int64_t stride;  // elements
};

// Some queries of one head, and what they see.
struct QueryBlock {
  static constexpr int64_t kMost = 64;  // no tile has more columns
  int64_t rows;                         // at most AttentionCore::block_rows()
  const std::byte* q[kMost];            // d elements each
  std::byte* y[kMost];
  int32_t seen[kMost];  // query r sees the first seen[r] keys, but no more than are packed; may be negative
  // What is added to the logits of keys [first, first + count): writes rows mask[i * columns + r], at most one a key,
  // and for key first + j the row it takes, row[j]. Null: nothing.
  void (*fill_mask)(const void* context, int64_t first, int64_t count, float* mask, int64_t columns,
                    int32_t* row) = nullptr;
  const void* context = nullptr;
};

class AttentionCore {
 public:
  struct Types {
    DType compute, q, y;
  };
  AttentionCore(const Loops& loops, const Types& types, int64_t d, int64_t max_keys, float scale, bool masked);

  const TileLoop& tile() const { return tile_; }  // for TileRegisters, around a kernel
  size_t scratch_bytes() const { return scratch_bytes_; }
  int64_t block_rows() const { return tile_.columns; }

  // Packs keys [first, first + count) of the head at hand.
  void pack(std::byte* scratch, const HeadRows& k, const HeadRows& v, int64_t first, int64_t count) const noexcept;
  // To be called when all `keys` are packed.
  void seal(std::byte* scratch, int64_t keys) const noexcept;
  void attend(std::byte* scratch, const QueryBlock& block, int64_t keys) const noexcept;

 private:
  void load_queries(std::byte* scratch, const QueryBlock& block) const noexcept;
  void add_keys(std::byte* scratch, const QueryBlock& block, int64_t first, int64_t count) const noexcept;
  void weigh(std::byte* scratch, const QueryBlock& block, int64_t first, int64_t count) const noexcept;
  void write(const std::byte* scratch, const QueryBlock& block) const noexcept;

  float* floats(std::byte* scratch, size_t at) const { return reinterpret_cast<float*>(scratch + at); }
  int64_t b_bytes() const { return static_cast<int64_t>(size_of(tile_.b)); }
  int64_t a_bytes() const { return static_cast<int64_t>(size_of(tile_.a)); }
  int64_t stored_bytes() const { return static_cast<int64_t>(size_of(tile_.stored)); }
  PanelPlace place(std::byte* panels, int64_t first_key) const {
    return {.panels = panels,
            .is_bf16 = tile_.stored == Element::bf16,
            .group = tile_.group,
            .panel_size = value_panel_size_,
            .first = first_key};
  }

  const TileLoop& tile_;
  const Loops& loops_;
  DType q_type_, y_type_;
  int64_t d_, padded_d_, value_panels_;
  int64_t key_block_;         // keys that meet a block of queries at a time
  int64_t value_panel_size_;  // elements
  float scale_;
  // Offsets into the scratch; the keys come first. scores_at_ .. sums_at_ are of a block of queries. Where the tile's
  // panels are expanded, plain_at_ is for what they are expanded from.
  size_t values_at_, plain_at_, queries_at_, scores_at_, mask_at_, mask_row_at_, pairs_at_, sums_at_, state_at_,
      seen_at_, scratch_bytes_;
};

}  // namespace yanrt::cpu
