// Memory that a tile brings into the second-level cache while it computes: the weights of the next panel, and where the
// results of this one will go, whose lines a store would wait for. The processor's own prefetch stops at the end of a
// page or a row, and many prefetches in a row keep the loads behind them from starting: so they are spread evenly.
#pragma once

#include "backends/cpu/isa/simd.h"
#include "backends/cpu/kernels/gemm_args.h"

namespace yanrt::cpu::YANRT_ISA {

// Fetches a share before every period() of the `steps` of each of `walks`. A walk is best not interrupted, but too many
// lines at once hold up its loads.
class Fetcher {
 public:
  YANRT_INLINE Fetcher(const Ahead& ahead, int64_t walks, int64_t steps) : span_(ahead.spans), end_(span_ + 3) {
    int64_t lines = 0;
    for (const Ahead::Span& span : ahead.spans) lines += span.rows * ((span.bytes + kLine - 1) / kLine);
    period_ = lines <= kMostAtOnce * walks ? steps : kShortPeriod;
    const int64_t turns = walks * ((steps + period_ - 1) / period_);
    share_ = (lines * kLine + turns - 1) / turns;
    enter_row();
  }
  int64_t period() const { return period_; }
  YANRT_INLINE void fetch() {
    for (due_ += share_; due_ > 0 && span_ < end_;) {
      const std::byte* stop = row_end_ - at_ < due_ ? row_end_ : at_ + due_;
      for (; at_ < stop; at_ += kLine, due_ -= kLine) __builtin_prefetch(at_, 0, 2);
      if (at_ < row_end_) return;
      ++row_;
      enter_row();
    }
  }

 private:
  static constexpr int64_t kLine = 64, kMostAtOnce = 16, kShortPeriod = 32;

  YANRT_INLINE void enter_row() {
    for (; span_ < end_ && row_ >= span_->rows; ++span_) row_ = 0;
    if (span_ == end_) return;
    at_ = span_->at + row_ * span_->stride;
    row_end_ = at_ + span_->bytes;
  }

  const Ahead::Span *span_, *end_;
  const std::byte *at_ = nullptr, *row_end_ = nullptr;
  int64_t row_ = 0, due_ = 0, period_, share_;  // bytes
};

}  // namespace yanrt::cpu::YANRT_ISA
