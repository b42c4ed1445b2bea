// Launching and shared memory, for nvcc. The simulator's twin: testing/cuda_sim/device/launch.h.
#pragma once

#include <cuda_runtime.h>

#include <utility>

// YANRT_SHARED(float, tile, [32][33]); declares a static array in shared memory.
#define YANRT_SHARED(type, name, dims) __shared__ __align__(16) type name dims

// YANRT_DYNAMIC_SHARED(bytes); declares `unsigned char* const bytes`, 128-byte aligned, of the launch's shared_bytes.
#define YANRT_DYNAMIC_SHARED(name)                                       \
  extern __shared__ __align__(128) unsigned char yanrt_dynamic_shared[]; \
  unsigned char* const name = yanrt_dynamic_shared

namespace yanrt::cuda {

struct LaunchShape {
  dim3 grid;
  dim3 block;
  size_t shared_bytes = 0;  // dynamic; above 48 KB only after allow_shared_bytes
  cudaStream_t stream = nullptr;
};

// Arguments are converted to the kernel's parameter types, as a <<<>>> launch would.
template <class... Parameters, class... Arguments>
inline cudaError_t launch(void (*kernel)(Parameters...), const LaunchShape& shape, Arguments&&... arguments) {
  cudaLaunchConfig_t config{};
  config.gridDim = shape.grid;
  config.blockDim = shape.block;
  config.dynamicSmemBytes = shape.shared_bytes;
  config.stream = shape.stream;
  return cudaLaunchKernelEx(&config, kernel, static_cast<Parameters>(std::forward<Arguments>(arguments))...);
}

// Lets `kernel` be launched with up to `bytes` of dynamic shared memory. Call it once, outside capture.
template <class... Parameters>
inline cudaError_t allow_shared_bytes(void (*kernel)(Parameters...), size_t bytes) {
  return cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel), cudaFuncAttributeMaxDynamicSharedMemorySize,
                              static_cast<int>(bytes));
}

}  // namespace yanrt::cuda
