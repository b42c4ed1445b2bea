// Copying tensors of any strides, for the kernels that move data.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "backends/cpu/kernel.h"
#include "core/tensor.h"

namespace yanrt::cpu {

// Copies a tensor between two layouts of one shape; f32 and bf16 convert into each other. Made at load: neighbouring
// dimensions that both layouts step through evenly are merged, so that the innermost loop is as long as possible.
class StridedCopy {
 public:
  // `from` and `to` have equal shapes. Throws Error(unsupported) if their dtypes do not convert.
  StridedCopy(const TensorDesc& from, const TensorDesc& to);

  int64_t numel() const { return numel_; }
  // Copies elements [range.begin, range.end) of the row-major order.
  void run(const std::byte* from, std::byte* to, Range range) const;

 private:
  using RowFn = void (*)(const std::byte* from, int64_t from_stride, std::byte* to, int64_t to_stride, int64_t n);

  RowFn row_ = nullptr;
  size_t from_size_, to_size_;
  int64_t numel_;
  Dims shape_, from_strides_, to_strides_;
};

// A worker's share of a copy is a multiple of this many elements: whole cache lines of any dtype.
inline constexpr int64_t kCopyGrain = 4096;

// How many workers `n` items in shares of `grain` can occupy.
inline int workers_for(int64_t n, int64_t grain) {
  return static_cast<int>(std::clamp<int64_t>((n + grain - 1) / grain, 1, 1 << 30));
}

}  // namespace yanrt::cpu
