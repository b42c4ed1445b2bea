// Memory that a tile brings into the second-level cache while it computes. The processor's own prefetch stops at the
// end of a page, and many prefetches in a row keep the loads behind them from starting: so they are spread evenly.
#pragma once

#include "backends/cpu/isa/simd.h"
#include "backends/cpu/kernels/gemm_args.h"

namespace yanrt::cpu::YANRT_ISA {

// Fetches a share in each of `turns`.
class Fetcher {
 public:
  YANRT_INLINE Fetcher(const Ahead& ahead, int64_t turns)
      : at_(ahead.at), due_(ahead.at), share_((ahead.bytes + turns - 1) / turns) {}
  YANRT_INLINE void fetch() {
    due_ += share_;
    for (; at_ < due_; at_ += 64) __builtin_prefetch(at_, 0, 2);
  }

 private:
  const std::byte *at_, *due_;
  int64_t share_;
};

}  // namespace yanrt::cpu::YANRT_ISA
