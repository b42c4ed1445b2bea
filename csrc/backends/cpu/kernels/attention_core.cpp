#include "backends/cpu/kernels/attention_core.h"

#include <cstring>
#include <limits>

namespace yanrt::cpu {
namespace {

constexpr int64_t kKeyBlock = 512;  // a multiple of every tile's columns

int64_t round_up(int64_t a, int64_t b) { return (a + b - 1) / b * b; }

}  // namespace

AttentionCore::AttentionCore(const Loops& loops, const Types& types, int64_t d, int64_t max_keys, float scale)
    : tile_(types.compute == DType::bf16 ? loops.gemm.bf16 : loops.gemm.f32),
      loops_(loops.attention),
      q_to_operand_(loops.convert, tile_, types.q),
      p_to_operand_(loops.convert, tile_, DType::f32),
      types_(types),
      d_(d),
      padded_d_(round_up(d, tile_.group)),
      value_panels_((d + tile_.columns - 1) / tile_.columns),
      key_block_(std::min(kKeyBlock, round_up(max_keys, tile_.columns))),
      key_panel_size_(padded_d_ * tile_.columns),
      value_panel_size_(round_up(max_keys, tile_.group) * tile_.columns),
      scale_(scale) {
  size_t at = 0;
  const auto reserve = [&at](int64_t bytes) {
    const size_t start = at;
    at += static_cast<size_t>(round_up(bytes, 64));
    return start;
  };
  reserve(round_up(max_keys, tile_.columns) / tile_.columns * key_panel_size_ * b_bytes());
  values_at_ = reserve(value_panels_ * value_panel_size_ * b_bytes());
  queries_at_ = reserve(kQueryRows * padded_d_ * a_bytes());
  scores_at_ = reserve(kQueryRows * key_block_ * static_cast<int64_t>(sizeof(float)));
  weights_at_ = reserve(key_block_ * static_cast<int64_t>(sizeof(float)));
  operand_at_ = reserve(kQueryRows * key_block_ * a_bytes());
  sums_at_ = reserve(kQueryRows * value_panels_ * tile_.columns * static_cast<int64_t>(sizeof(float)));
  state_at_ = reserve(2 * kQueryRows * static_cast<int64_t>(sizeof(float)));
  scratch_bytes_ = at;
}

void AttentionCore::pack(std::byte* scratch, const HeadRows& k, const HeadRows& v, int64_t first,
                         int64_t count) const noexcept {
  const auto rows = [&](const HeadRows& head) {
    return KeyRows{.x = head.x, .x_is_bf16 = head.type == DType::bf16, .stride = head.stride, .count = count, .d = d_};
  };
  PanelPlace place{.panels = scratch,
                   .is_bf16 = tile_.b == Element::bf16,
                   .rounds = tile_.rounds,
                   .panel_size = key_panel_size_,
                   .first = first};
  loops_.pack_keys(rows(k), place);
  place.panels = scratch + values_at_;
  place.panel_size = value_panel_size_;
  loops_.pack_values(rows(v), place);
}

void AttentionCore::seal(std::byte* scratch, int64_t keys) const noexcept {
  if (keys % tile_.group == 0) return;
  // The last value's partner is multiplied with a weight of zero: it must be a number. (group is 1 or 2)
  for (int64_t panel = 0; panel < value_panels_; ++panel) {
    auto* row = reinterpret_cast<uint16_t*>(scratch + values_at_) + panel * value_panel_size_ +
                keys / tile_.group * tile_.columns * tile_.group;
    for (int64_t i = 0; i < tile_.columns; ++i) row[2 * i + 1] = 0;
  }
}

void AttentionCore::attend(std::byte* scratch, const QueryBlock& block, int64_t keys) const noexcept {
  std::byte* queries = scratch + queries_at_;
  for (int64_t row = 0; row < block.rows; ++row) {
    std::byte* to = queries + row * padded_d_ * a_bytes();
    if (padded_d_ != d_) std::memset(to + d_ * a_bytes(), 0, static_cast<size_t>((padded_d_ - d_) * a_bytes()));
    q_to_operand_(block.q + row * block.q_stride * static_cast<int64_t>(q_to_operand_.from_size()), to, d_);
  }
  auto* maxima = reinterpret_cast<float*>(scratch + state_at_);
  float* totals = maxima + kQueryRows;
  std::fill_n(maxima, block.rows, -std::numeric_limits<float>::infinity());
  std::fill_n(totals, block.rows, 0.0f);

  const int64_t seen = std::max(seen_by(block, 0, keys), seen_by(block, block.rows - 1, keys));
  for (int64_t first = 0; first < seen; first += key_block_)
    add_keys(scratch, block, first, std::min(key_block_, seen - first));

  const auto* sums = reinterpret_cast<const float*>(scratch + sums_at_);
  const bool y_is_bf16 = types_.y == DType::bf16;
  const int64_t y_bytes = y_is_bf16 ? 2 : 4;
  for (int64_t row = 0; row < block.rows; ++row) {
    std::byte* y = block.y + row * block.y_stride * y_bytes;
    if (totals[row] == 0.0f) {  // it sees nothing
      std::memset(y, 0, static_cast<size_t>(d_ * y_bytes));
      continue;
    }
    for (int64_t panel = 0; panel < value_panels_; ++panel)
      loops_.scale_row(sums + (panel * kQueryRows + row) * tile_.columns, 1.0f / totals[row],
                       y + panel * tile_.columns * y_bytes, y_is_bf16,
                       std::min<int64_t>(tile_.columns, d_ - panel * tile_.columns));
  }
}

// Keys [first, first + count) for all rows of the block: logits, weights, and the weighted sum of values.
void AttentionCore::add_keys(std::byte* scratch, const QueryBlock& block, int64_t first, int64_t count) const noexcept {
  const int64_t columns = tile_.columns;
  auto* scores = reinterpret_cast<float*>(scratch + scores_at_);
  auto* weights = reinterpret_cast<float*>(scratch + weights_at_);
  auto* sums = reinterpret_cast<float*>(scratch + sums_at_);
  auto* maxima = reinterpret_cast<float*>(scratch + state_at_);
  const auto tiles = [&](auto&& run) {
    for (int64_t row = 0; row < block.rows; row += tile_.rows)
      run(row, static_cast<int>(std::min<int64_t>(tile_.rows, block.rows - row)));
  };

  for (int64_t start = 0; start < count; start += columns) {
    const std::byte* panel = scratch + (first + start) / columns * key_panel_size_ * b_bytes();
    float* to = scores + start * kQueryRows;
    tiles([&](int64_t row, int rows) {
      tile_.run(rows, scratch + queries_at_ + row * padded_d_ * a_bytes(), padded_d_, panel, padded_d_,
                to + row * columns, false);
    });
  }

  const int64_t padded = round_up(count, tile_.group);
  for (int64_t row = 0; row < block.rows; ++row) {
    const float* mask = block.mask ? block.mask + row * block.mask_row_stride + first * block.mask_key_stride : nullptr;
    const float factor =
        loops_.softmax_row({.scores = scores + row * columns,
                            .columns = columns,
                            .panel_stride = kQueryRows * columns,
                            .seen = std::clamp<int64_t>(block.seen + row * block.seen_step - first, 0, count),
                            .padded = padded,
                            .scale = scale_,
                            .mask = mask,
                            .mask_stride = block.mask_key_stride,
                            .p = weights,
                            .max = maxima + row,
                            .sum = maxima + kQueryRows + row});
    p_to_operand_(reinterpret_cast<const std::byte*>(weights), scratch + operand_at_ + row * key_block_ * a_bytes(),
                  padded);
    if (first > 0 && factor != 1.0f)
      for (int64_t panel = 0; panel < value_panels_; ++panel) {
        float* sum = sums + (panel * kQueryRows + row) * columns;
        loops_.scale_row(sum, factor, sum, false, columns);
      }
  }

  for (int64_t panel = 0; panel < value_panels_; ++panel) {
    const std::byte* values = scratch + values_at_ + (panel * value_panel_size_ + first * columns) * b_bytes();
    tiles([&](int64_t row, int rows) {
      tile_.run(rows, scratch + operand_at_ + row * key_block_ * a_bytes(), key_block_, values, padded,
                sums + (panel * kQueryRows + row) * columns, first > 0);
    });
  }
}

}  // namespace yanrt::cpu
