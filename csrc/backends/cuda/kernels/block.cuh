// Reductions over a block. Every thread gets the result; the order is fixed. All threads must call them.
#pragma once

#include "backends/cuda/device/device.cuh"

namespace yanrt::cuda {

struct Sum {
  static __device__ __forceinline__ float warp(float v) { return warp_sum(v); }
  static __device__ __forceinline__ float combine(float a, float b) { return a + b; }
};
struct Max {
  static __device__ __forceinline__ float warp(float v) { return warp_max(v); }
  static __device__ __forceinline__ float combine(float a, float b) { return fmaxf(a, b); }
};

template <class Reduction, int kThreads>
__device__ __forceinline__ float block_reduce(float value) {
  constexpr int kWarps = kThreads / kWarpLanes;
  YANRT_SHARED(float, partial, [kWarps]);
  value = Reduction::warp(value);
  if (threadIdx.x % kWarpLanes == 0) partial[threadIdx.x / kWarpLanes] = value;
  __syncthreads();
  float result = partial[0];
#pragma unroll
  for (int i = 1; i < kWarps; ++i) result = Reduction::combine(result, partial[i]);
  __syncthreads();  // before the next reduction writes
  return result;
}
template <int kThreads>
__device__ __forceinline__ float block_sum(float value) {
  return block_reduce<Sum, kThreads>(value);
}
template <int kThreads>
__device__ __forceinline__ float block_max(float value) {
  return block_reduce<Max, kThreads>(value);
}

// The scale that brings a row with this largest magnitude into E4M3; rows of (nearly) nothing keep a normal one.
__device__ __forceinline__ float e4m3_scale(float largest) { return fmaxf(largest, 1e-12f) / kE4m3Max; }

// Element i of a row of f32 or bf16.
__device__ __forceinline__ float element(const std::byte* row, bool is_bf16, int64_t i) {
  return is_bf16 ? bf16_to_float(reinterpret_cast<const uint16_t*>(row)[i]) : reinterpret_cast<const float*>(row)[i];
}
__device__ __forceinline__ void set_element(std::byte* row, bool is_bf16, int64_t i, float value) {
  if (is_bf16) {
    reinterpret_cast<__nv_bfloat16*>(row)[i] = __float2bfloat16_rn(value);
  } else {
    reinterpret_cast<float*>(row)[i] = value;
  }
}

}  // namespace yanrt::cuda
