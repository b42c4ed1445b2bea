#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

namespace yanrt::cuda {

// y[b, e] for `count` elements of each of `batch` entries; docs/randn.md. Reads seed and counter from device memory.
struct RandnArgs {
  const int64_t* seed;
  const int64_t* counter;
  float* y;
  uint32_t batch, count;
};
cudaError_t launch_randn(const RandnArgs& args, cudaStream_t stream);

}  // namespace yanrt::cuda
