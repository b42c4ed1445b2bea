// Twin of backends/cuda/device/launch.cuh.
#pragma once

#include <new>
#include <tuple>
#include <utility>

#include "testing/cuda_sim/device/keywords.h"

#define YANRT_SHARED(type, name, dims)                          \
  using name##_shared_type = type dims;                         \
  static const char name##_shared_site = 0;                     \
  name##_shared_type& name = *static_cast<name##_shared_type*>( \
      ::yanrt::cuda_sim::shared_array(&name##_shared_site, sizeof(name##_shared_type)))
#define YANRT_DYNAMIC_SHARED(name) unsigned char* const name = ::yanrt::cuda_sim::dynamic_shared_bytes()

namespace yanrt::cuda_sim {

void* shared_array(const void* site, size_t bytes);
unsigned char* dynamic_shared_bytes();
void* allocate_arguments(size_t bytes);
// Takes over `arguments`, which allocate_arguments made.
cudaError_t enqueue_kernel(const void* function, void (*invoke)(const void*, void*), void* arguments, size_t bytes,
                           dim3 grid, dim3 block, size_t shared_bytes, cudaStream_t stream);

template <class... Parameters>
void invoke_kernel(const void* function, void* arguments) {
  std::apply(reinterpret_cast<void (*)(Parameters...)>(const_cast<void*>(function)),
             *static_cast<std::tuple<Parameters...>*>(arguments));
}

}  // namespace yanrt::cuda_sim

namespace yanrt::cuda {

struct LaunchShape {
  dim3 grid;
  dim3 block;
  size_t shared_bytes = 0;
  cudaStream_t stream = nullptr;
};

template <class... Parameters, class... Arguments>
cudaError_t launch(void (*kernel)(Parameters...), const LaunchShape& shape, Arguments&&... arguments) {
  using Tuple = std::tuple<Parameters...>;
  static_assert((std::is_trivially_destructible_v<Parameters> && ...), "kernel parameters are plain values");
  void* memory = cuda_sim::allocate_arguments(sizeof(Tuple));
  new (memory) Tuple(static_cast<Parameters>(std::forward<Arguments>(arguments))...);
  return cuda_sim::enqueue_kernel(reinterpret_cast<const void*>(kernel), cuda_sim::invoke_kernel<Parameters...>, memory,
                                  sizeof(Tuple), shape.grid, shape.block, shape.shared_bytes, shape.stream);
}

template <class... Parameters>
cudaError_t allow_shared_bytes(void (*kernel)(Parameters...), size_t bytes) {
  return cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel), cudaFuncAttributeMaxDynamicSharedMemorySize,
                              static_cast<int>(bytes));
}

}  // namespace yanrt::cuda
