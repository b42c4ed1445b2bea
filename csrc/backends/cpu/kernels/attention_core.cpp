#include "backends/cpu/kernels/attention_core.h"

#include <cstring>
#include <limits>

#include "backends/cpu/kernels/rounding.h"

namespace yanrt::cpu {
namespace {

constexpr int64_t kKeyBlock = 128;  // a multiple of every tile's depth: what belongs together is never cut

}  // namespace

AttentionCore::AttentionCore(const Loops& loops, const Types& types, int64_t d, int64_t max_keys, float scale,
                             bool masked)
    : tile_(types.compute == DType::bf16 ? loops.gemm.bf16 : loops.gemm.f32),
      loops_(loops),
      q_type_(types.q),
      y_type_(types.y),
      d_(d),
      padded_d_(round_up(d, tile_.depth)),
      value_panels_(ceil_div(d, tile_.columns)),
      key_block_(std::min(kKeyBlock, round_up(max_keys, std::max(tile_.rows, tile_.depth)))),
      value_panel_size_(round_up(max_keys, tile_.depth) * tile_.columns),
      scale_(scale) {
  size_t at = 0;
  const auto reserve = [&at](int64_t bytes) {
    const size_t start = at;
    at += static_cast<size_t>(round_up(bytes, 64));
    return start;
  };
  const int64_t columns = tile_.columns, block = key_block_ * columns, word = sizeof(float);
  reserve(max_keys * padded_d_ * a_bytes());
  values_at_ = reserve(value_panels_ * value_panel_size_ * b_bytes());
  plain_at_ = tile_.expand ? reserve(std::max(value_panels_ * value_panel_size_, padded_d_ * columns) * stored_bytes())
                           : values_at_;
  queries_at_ = reserve(padded_d_ * columns * b_bytes());
  scores_at_ = reserve(block * word);
  mask_at_ = reserve(masked ? block * word : 0);
  mask_row_at_ = reserve(masked ? key_block_ * static_cast<int64_t>(sizeof(int32_t)) : 0);
  pairs_at_ = reserve(tile_.a == Element::bf16 ? block * a_bytes() : 0);
  sums_at_ = reserve(value_panels_ * columns * columns * word);
  state_at_ = reserve(3 * columns * word);
  seen_at_ = reserve(columns * static_cast<int64_t>(sizeof(int32_t)));
  scratch_bytes_ = at;
}

void AttentionCore::pack(std::byte* scratch, const HeadRows& k, const HeadRows& v, int64_t first,
                         int64_t count) const noexcept {
  const ToOperand to_operand(loops_.convert, tile_, k.type);
  to_operand.rows(k.x, k.stride, count, d_, scratch + first * padded_d_ * a_bytes(), padded_d_, padded_d_);
  loops_.attention.pack_values(
      {.x = v.x, .x_is_bf16 = v.type == DType::bf16, .stride = v.stride, .count = count, .d = d_},
      place(scratch + plain_at_, first));
}

void AttentionCore::seal(std::byte* scratch, int64_t keys) const noexcept {
  // What completes the last step of k is multiplied with weights of zero: it must be numbers. (group is 1 or 2)
  const int64_t end = round_up(keys, tile_.depth), pair = tile_.group * tile_.columns * stored_bytes();
  for (int64_t panel = 0; panel < value_panels_; ++panel) {
    std::byte* rows = scratch + plain_at_ + panel * value_panel_size_ * stored_bytes();
    if (keys % tile_.group != 0)
      for (int64_t i = 0; i < tile_.columns; ++i)
        std::memset(rows + keys / 2 * pair + (2 * i + 1) * stored_bytes(), 0, size_of(tile_.stored));
    const int64_t pairs = ceil_div(keys, tile_.group);
    std::memset(rows + pairs * pair, 0, static_cast<size_t>((end / tile_.group - pairs) * pair));
    if (tile_.expand)
      tile_.expand(rows, scratch + values_at_ + panel * value_panel_size_ * b_bytes(), end * tile_.columns);
  }
}

void AttentionCore::load_queries(std::byte* scratch, const QueryBlock& block) const noexcept {
  std::byte* panel = scratch + (tile_.expand ? plain_at_ : queries_at_);
  if (block.rows < tile_.columns || padded_d_ != d_)  // the other columns compute too
    std::memset(panel, 0, static_cast<size_t>(padded_d_ * tile_.columns * stored_bytes()));
  loops_.attention.pack_queries({.x = block.q, .x_is_bf16 = q_type_ == DType::bf16, .count = block.rows, .d = d_},
                                place(panel, 0));
  if (tile_.expand) tile_.expand(panel, scratch + queries_at_, padded_d_ * tile_.columns);
}

void AttentionCore::attend(std::byte* scratch, const QueryBlock& block, int64_t keys) const noexcept {
  load_queries(scratch, block);
  float* state = floats(scratch, state_at_);
  std::fill_n(state, tile_.columns, -std::numeric_limits<float>::infinity());
  std::fill_n(state + tile_.columns, tile_.columns, 0.0f);
  const int64_t seen = std::clamp<int64_t>(*std::max_element(block.seen, block.seen + block.rows), 0, keys);
  for (int64_t first = 0; first < seen; first += key_block_)
    add_keys(scratch, block, first, std::min(key_block_, seen - first));
  write(scratch, block);
}

// Keys [first, first + count) for all queries of the block: logits, weights, and the weighted sum of values.
void AttentionCore::add_keys(std::byte* scratch, const QueryBlock& block, int64_t first, int64_t count) const noexcept {
  const int64_t columns = tile_.columns;
  tile_.run(count, scratch + first * padded_d_ * a_bytes(), padded_d_, Stretches::whole(padded_d_),
            scratch + queries_at_, floats(scratch, scores_at_), false, block.rows, Ahead{});
  weigh(scratch, block, first, count);
  const int64_t padded = round_up(count, tile_.depth);

  const bool is_bf16 = tile_.a == Element::bf16;
  const std::byte* weights = scratch + (is_bf16 ? pairs_at_ : scores_at_);
  if (!is_bf16)
    std::fill(floats(scratch, scores_at_) + count * columns, floats(scratch, scores_at_) + padded * columns, 0.0f);
  const float* factors = floats(scratch, state_at_) + 2 * columns;
  for (int64_t panel = 0; panel < value_panels_; ++panel) {
    float* sums = floats(scratch, sums_at_) + panel * columns * columns;
    for (int64_t row = 0; row < block.rows && first > 0; ++row)
      if (factors[row] != 1.0f)
        loops_.attention.scale_row(sums + row * columns, factors[row], sums + row * columns, false, columns);
    const std::byte* values = scratch + values_at_ + (panel * value_panel_size_ + first * columns) * b_bytes();
    tile_.run_columns(block.rows, weights, values, padded, sums, first > 0, d_ - panel * columns);
  }
}

void AttentionCore::weigh(std::byte* scratch, const QueryBlock& block, int64_t first, int64_t count) const noexcept {
  const int64_t columns = tile_.columns;
  auto* seen = reinterpret_cast<int32_t*>(scratch + seen_at_);
  bool sees_all = true;
  for (int64_t i = 0; i < columns; ++i) {
    seen[i] = i < block.rows ? static_cast<int32_t>(std::clamp<int64_t>(block.seen[i] - first, 0, count)) : 0;
    if (i < block.rows && seen[i] < count) sees_all = false;
  }
  float* mask = block.fill_mask ? floats(scratch, mask_at_) : nullptr;
  auto* mask_row = reinterpret_cast<int32_t*>(scratch + mask_row_at_);
  if (mask) block.fill_mask(block.context, first, count, mask, columns, mask_row);
  float* state = floats(scratch, state_at_);
  loops_.attention.softmax_block(
      {.scores = floats(scratch, scores_at_),
       .keys = count,
       .seen = sees_all ? nullptr : seen,
       .mask = mask,
       .mask_row = mask_row,
       .scale = scale_,
       .rounds = tile_.rounds,
       .pairs = tile_.a == Element::bf16 ? reinterpret_cast<uint16_t*>(scratch + pairs_at_) : nullptr,
       .padded_keys = round_up(count, tile_.depth),
       .max = state,
       .sum = state + columns,
       .factor = state + 2 * columns});
}

void AttentionCore::write(const std::byte* scratch, const QueryBlock& block) const noexcept {
  const int64_t columns = tile_.columns, y_bytes = static_cast<int64_t>(size_of(y_type_));
  const auto* totals = reinterpret_cast<const float*>(scratch + state_at_) + columns;
  const auto* sums = reinterpret_cast<const float*>(scratch + sums_at_);
  for (int64_t row = 0; row < block.rows; ++row) {
    if (totals[row] == 0.0f) {  // it sees nothing
      std::memset(block.y[row], 0, static_cast<size_t>(d_ * y_bytes));
      continue;
    }
    for (int64_t panel = 0; panel < value_panels_; ++panel)
      loops_.attention.scale_row(sums + (panel * columns + row) * columns, 1.0f / totals[row],
                                 block.y[row] + panel * columns * y_bytes, y_type_ == DType::bf16,
                                 std::min<int64_t>(columns, d_ - panel * columns));
  }
}

}  // namespace yanrt::cpu
