#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

namespace yanrt::testing {

// y = x weight^T: x [m, k] with rows `x_stride` elements apart, weight [n, k], of bf16 or E4M3; y f32 [m, n].
struct Product {
  const std::byte* x;
  const std::byte* weight;
  float* y;
  uint64_t m, n, k, x_stride;
  bool bf16;
};
cudaError_t launch_product(const Product& p, cudaStream_t stream);

}  // namespace yanrt::testing
