// softmax over rows, and reductions along one dimension.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

namespace yanrt::cuda {

struct SoftmaxArgs {
  const std::byte* x;
  std::byte* y;
  int64_t x_stride;  // elements
  uint32_t rows, d;
  bool x_is_bf16, y_is_bf16;
};
cudaError_t launch_softmax(const SoftmaxArgs& args, cudaStream_t stream);

enum class Reduction : uint8_t { sum, mean, max, min };

// x [outer, n, inner] -> y [outer, inner], dense, f32 or i64.
struct ReduceArgs {
  const std::byte* x;
  std::byte* y;
  uint32_t outer, n, inner;
  Reduction kind;
  bool is_integer;
};
cudaError_t launch_reduce(const ReduceArgs& args, cudaStream_t stream);

}  // namespace yanrt::cuda
