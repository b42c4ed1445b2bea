// What a GEMM does with finished sums whose op has a Store (runtime/fuse_stores.h): the chain over a strip, then each
// element to its place, while the strip is in the first-level cache.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "backends/cpu/kernels/pointwise_chain.h"
#include "runtime/plan.h"

namespace yanrt::cpu {

class ResultStore {
 public:
  // A part of the result: finished rows, `stride` elements apart, in its type.
  struct Strip {
    std::byte* data;
    int64_t stride, first_row, rows, first_column, columns;
  };

  ResultStore(const Store& store, const PointwiseLoops& loops);

  size_t scratch_bytes(int64_t elements) const;  // for strips of so many
  // Puts the strip into the whole output `y`.
  void put(const Strip& strip, std::byte* scratch, std::byte* y) const noexcept;

 private:
  template <class T>
  void scatter(const Strip& strip, const T* from, T* y) const noexcept;

  DType result_, dtype_;
  std::optional<PwChain> chain_;
  Store::Axes rows_;
  int64_t run_;                  // columns that are neighbours in the output too
  std::vector<int64_t> places_;  // of each run, in its row
};

}  // namespace yanrt::cpu
