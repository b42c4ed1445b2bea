#include "backends/cuda/device/device.cuh"
#include "testing/cuda_sim/selftest/case.h"

namespace yanrt::cuda_selftest {
namespace {

using namespace cuda;

__global__ void exchange_in_warp(float* out) {
  YANRT_SHARED(float, tile, [32]);
  tile[threadIdx.x] = static_cast<float>(threadIdx.x);
  __syncwarp();
  out[threadIdx.x] = tile[31 - threadIdx.x];
}

__global__ void exchange_without_syncwarp(float* out) {
  YANRT_SHARED(float, tile, [32]);
  tile[threadIdx.x] = static_cast<float>(threadIdx.x);
  out[threadIdx.x] = tile[31 - threadIdx.x];
}

__global__ void syncwarp_across_warps(float* out) {
  YANRT_SHARED(float, tile, [64]);
  tile[threadIdx.x] = static_cast<float>(threadIdx.x);
  __syncwarp();
  out[threadIdx.x] = tile[63 - threadIdx.x];
}

__global__ void reduce(float* out) {
  const float sum = warp_sum(static_cast<float>(threadIdx.x)), largest = warp_max(static_cast<float>(threadIdx.x));
  if (sum != 496 || largest != 31) out[4096] = 1;  // out of bounds: a wrong sum is a report
  out[threadIdx.x] = sum;
}

__global__ void shuffle_in_a_branch(float* out) {
  float value = static_cast<float>(threadIdx.x);
  if (threadIdx.x & 1) value = __shfl_xor_sync(kFullWarp, value, 1);
  out[threadIdx.x] = value;
}

__global__ void two_shuffles_one_mask(float* out) {
  float value = static_cast<float>(threadIdx.x);
  if (threadIdx.x & 1) {
    value = __shfl_xor_sync(kFullWarp, value, 1);
  } else {
    value = __shfl_xor_sync(kFullWarp, value, 2);
  }
  out[threadIdx.x] = value;
}

__global__ void shuffle_from_outside_mask(float* out) {
  float value = 0;
  if (threadIdx.x < 16) value = __shfl_sync(0xffffu, static_cast<float>(threadIdx.x), 20);
  out[threadIdx.x] = value;
}

__global__ void lane_outside_its_mask(float* out) {
  float value = static_cast<float>(threadIdx.x);
  if (threadIdx.x < 16) value = __shfl_xor_sync(0x7fffu, value, 0);
  out[threadIdx.x] = value;
}

__global__ void native_e4m3(float* out) {
  const uint32_t a[4] = {};
  float d[4] = {};
  mma_e4m3<E4m3Path::native>(d, a, 0, 0);
  out[threadIdx.x] = d[0];
}

__global__ void ldmatrix_of_global(float* out) {
  uint32_t r[4];
  ldmatrix_x4(r, out);
  out[threadIdx.x] = 0;
}

template <void (*kKernel)(float*), int kThreads = 32>
cudaError_t run(const Buffers& b) {
  return launch(kKernel, {.grid = 1, .block = kThreads, .stream = b.first}, b.written);
}

}  // namespace

void add_warp_cases(std::vector<Case>& cases) {
  const std::vector<std::string> unsynchronised = {"race-read-after-write", "race-write-after-read", "uninitialised"};
  cases.push_back({"exchange in a warp", {}, run<exchange_in_warp>});
  cases.push_back({"no __syncwarp", unsynchronised, run<exchange_without_syncwarp>});
  cases.push_back({"__syncwarp across two warps", unsynchronised, run<syncwarp_across_warps, 64>});
  cases.push_back({"warp_sum and warp_max", {}, run<reduce>});
  cases.push_back({"full-mask shuffle in a branch", {"deadlock"}, run<shuffle_in_a_branch>});
  cases.push_back({"two shuffles, one mask", {"warp-divergence"}, run<two_shuffles_one_mask>});
  cases.push_back({"shuffle from a lane outside the mask", {"warp-mask"}, run<shuffle_from_outside_mask>});
  cases.push_back({"lane outside its own mask", {"warp-mask"}, run<lane_outside_its_mask>});
  cases.push_back({"E4M3 mma on sm_89", {}, run<native_e4m3>, 89});
  cases.push_back({"E4M3 mma on sm_80", {"unsupported-instruction"}, run<native_e4m3>, 80});
  cases.push_back({"ldmatrix of global memory", {"ldmatrix-address"}, run<ldmatrix_of_global>});
}

}  // namespace yanrt::cuda_selftest
