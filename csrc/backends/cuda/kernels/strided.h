// Copying tensors of any strides, for the kernels that move data.
#pragma once

#include "backends/cuda/kernel.h"
#include "backends/cuda/kernels/strided_args.h"

namespace yanrt::cuda {

// Throws Error(unsupported) if `numel` has more elements than a kernel can count.
uint32_t checked_count(const OpNode& op, int64_t numel);

// Copies a tensor between two layouts of one shape; f32 and bf16 convert into each other. Made at load: neighbouring
// dimensions that both layouts step through evenly are merged, and the widest unit is chosen.
class StridedCopy {
 public:
  // `alignment` divides both addresses. Throws Error(unsupported) if the dtypes do not convert.
  StridedCopy(const OpNode& op, const TensorDesc& from, const TensorDesc& to, size_t alignment);

  void launch(const std::byte* from, std::byte* to, cudaStream_t stream) const;

 private:
  void merge(const TensorDesc& from, const TensorDesc& to);
  void widen(size_t element, size_t alignment);

  CopyForm form_;
  CopyArgs args_{};
};

}  // namespace yanrt::cuda
