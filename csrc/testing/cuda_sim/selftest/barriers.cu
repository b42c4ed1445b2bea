#include "backends/cuda/device/device.cuh"
#include "testing/cuda_sim/selftest/case.h"

namespace yanrt::cuda_selftest {
namespace {

using cuda::launch;

__global__ void exchange(float* out) {
  YANRT_SHARED(float, tile, [64]);
  tile[threadIdx.x] = out[threadIdx.x];
  __syncthreads();
  out[threadIdx.x] = tile[63 - threadIdx.x];
}

__global__ void exchange_without_barrier(float* out) {
  YANRT_SHARED(float, tile, [64]);
  tile[threadIdx.x] = out[threadIdx.x];
  out[threadIdx.x] = tile[63 - threadIdx.x];
}

__global__ void reuse_without_barrier(float* out) {
  YANRT_SHARED(float, tile, [64]);
  for (int round = 0; round < 2; ++round) {
    tile[threadIdx.x] = out[threadIdx.x];  // the second time: others may still read
    __syncthreads();
    out[threadIdx.x] = tile[63 - threadIdx.x];
  }
}

__global__ void barrier_in_both_branches(float* out) {
  if (threadIdx.x < 32) {
    __syncthreads();
  } else {
    __syncthreads();
  }
  out[threadIdx.x] = 1;
}

__global__ void one_warp_more_barriers(float* out) {
  if (threadIdx.x < 32) __syncthreads();
  __syncthreads();
  out[threadIdx.x] = 1;
}

__global__ void return_before_barrier(float* out) {
  if (threadIdx.x >= 32) return;
  __syncthreads();
  out[threadIdx.x] = 1;
}

template <void (*kKernel)(float*)>
cudaError_t run(const Buffers& b) {
  return launch(kKernel, {.grid = 1, .block = 64, .stream = b.first}, b.written);
}

}  // namespace

void add_barrier_cases(std::vector<Case>& cases) {
  cases.push_back({"exchange through shared memory", {}, run<exchange>});
  cases.push_back(
      {"exchange without a barrier", {"race-read-after-write", "uninitialised"}, run<exchange_without_barrier>});
  cases.push_back({"reuse without a barrier", {"race-write-after-read"}, run<reuse_without_barrier>});
  cases.push_back({"a barrier in each branch", {"barrier-divergence"}, run<barrier_in_both_branches>});
  cases.push_back({"one warp needs a barrier more",
                   {"barrier-divergence", "barrier-after-exit", "deadlock"},
                   run<one_warp_more_barriers>});
  cases.push_back({"return before a barrier", {"barrier-after-exit"}, run<return_before_barrier>});
}

}  // namespace yanrt::cuda_selftest
