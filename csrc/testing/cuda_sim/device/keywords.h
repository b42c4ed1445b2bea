// CUDA's keywords and built-in variables as C++. Included by kernel sources alone.
#pragma once

#include <cuda_runtime_api.h>
#include <vector_functions.h>

#undef __global__
#undef __device__
#undef __host__
#undef __shared__
#undef __constant__
#undef __launch_bounds__
#undef __forceinline__
#undef __grid_constant__
#define __global__
#define __device__
#define __host__
#define __shared__ yanrt_error_use_YANRT_SHARED_or_YANRT_DYNAMIC_SHARED
#define __constant__
#define __launch_bounds__(...)
#define __forceinline__ inline
#define __grid_constant__

namespace yanrt::cuda_sim {

// By value: instrumented code reads no memory for them.
uint3 thread_index() noexcept;
uint3 block_index() noexcept;
dim3 block_size() noexcept;
dim3 grid_size() noexcept;

}  // namespace yanrt::cuda_sim

#define threadIdx (::yanrt::cuda_sim::thread_index())
#define blockIdx (::yanrt::cuda_sim::block_index())
#define blockDim (::yanrt::cuda_sim::block_size())
#define gridDim (::yanrt::cuda_sim::grid_size())
// nvcc's #pragma unroll, which g++ knows under its own name only.
#pragma GCC diagnostic ignored "-Wunknown-pragmas"
