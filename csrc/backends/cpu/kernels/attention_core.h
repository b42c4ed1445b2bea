// softmax(scale * q k^T + mask) v for one head: what attention and ring_attention share.
//
// The keys and values of a head are packed once into the panels of the GEMM's register tile, in the chosen precision.
// Queries then come in blocks; each block meets the keys in blocks too, with a running maximum and sum (online softmax,
// Milakov and Gimelshein 2018), so memory does not grow with the square of the length. A row's arithmetic does not
// depend on which block of queries it is in.
#pragma once

#include "backends/cpu/isa/loops.h"
#include "backends/cpu/kernel.h"
#include "backends/cpu/kernels/gemm.h"

namespace yanrt::cpu {

// Queries of one head, and what they see.
struct QueryBlock {
  const std::byte* q;
  int64_t q_stride;  // elements
  std::byte* y;
  int64_t y_stride;
  int64_t rows;  // at most AttentionCore::kQueryRows
  int64_t seen;  // row r sees the first seen + r * seen_step keys, but no more than are packed; may be negative
  int64_t seen_step;
  const float* mask =
      nullptr;  // added to the logits of key j of row r: mask[r * mask_row_stride + j * mask_key_stride]
  int64_t mask_row_stride = 0, mask_key_stride = 0;
};

// Keys or values of one head.
struct HeadRows {
  DType type;
  const std::byte* x;
  int64_t stride;  // elements
};

class AttentionCore {
 public:
  static constexpr int64_t kQueryRows = 48;

  struct Types {
    DType compute, q, y;
  };
  AttentionCore(const Loops& loops, const Types& types, int64_t d, int64_t max_keys, float scale);

  size_t scratch_bytes() const { return scratch_bytes_; }

  // Packs keys [first, first + count) of the head at hand.
  void pack(std::byte* scratch, const HeadRows& k, const HeadRows& v, int64_t first, int64_t count) const noexcept;
  // To be called when all `keys` are packed.
  void seal(std::byte* scratch, int64_t keys) const noexcept;
  void attend(std::byte* scratch, const QueryBlock& block, int64_t keys) const noexcept;

 private:
  void add_keys(std::byte* scratch, const QueryBlock& block, int64_t first, int64_t count) const noexcept;
  int64_t seen_by(const QueryBlock& block, int64_t row, int64_t keys) const {
    return std::clamp<int64_t>(block.seen + row * block.seen_step, 0, keys);
  }
  int64_t b_bytes() const { return static_cast<int64_t>(size_of(tile_.b)); }
  int64_t a_bytes() const { return static_cast<int64_t>(size_of(tile_.a)); }

  const TileLoop& tile_;
  const AttentionLoops& loops_;
  ToOperand q_to_operand_, p_to_operand_;
  Types types_;
  int64_t d_, padded_d_, value_panels_;
  int64_t key_block_;                          // keys that meet a block of queries at a time
  int64_t key_panel_size_, value_panel_size_;  // elements
  float scale_;
  // Offsets into the scratch.
  size_t values_at_, queries_at_, scores_at_, weights_at_, operand_at_, sums_at_, state_at_, scratch_bytes_;
};

}  // namespace yanrt::cpu
