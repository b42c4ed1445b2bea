// Reductions over the lanes of a warp. Every lane gets the result; the order of the sum is fixed.
#pragma once

#include <cstdint>

namespace yanrt::cuda {

inline constexpr int kWarpLanes = 32;
inline constexpr uint32_t kFullWarp = 0xffffffffu;

template <int kLanes = kWarpLanes>
__device__ __forceinline__ float warp_sum(float value) {
#pragma unroll
  for (int step = kLanes / 2; step > 0; step /= 2) value += __shfl_xor_sync(kFullWarp, value, step);
  return value;
}

template <int kLanes = kWarpLanes>
__device__ __forceinline__ float warp_max(float value) {
#pragma unroll
  for (int step = kLanes / 2; step > 0; step /= 2) value = fmaxf(value, __shfl_xor_sync(kFullWarp, value, step));
  return value;
}

}  // namespace yanrt::cuda
