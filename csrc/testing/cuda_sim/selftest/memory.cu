#include <cstdlib>

#include "backends/cuda/device/device.cuh"
#include "testing/cuda_sim/selftest/case.h"

namespace yanrt::cuda_selftest {
namespace {

using namespace cuda;

__global__ void write_one(float* out) { out[threadIdx.x] = 1; }
__global__ void write_at(float* out, int first) { out[first + static_cast<int>(threadIdx.x)] = 1; }
__global__ void copy_words(float* out, const float* in) { out[threadIdx.x] = in[threadIdx.x]; }
__global__ void write_same(float* out) {
  if (threadIdx.x == 0) out[0] = static_cast<float>(blockIdx.x);
}
__global__ void add_same(float* out) { atomicAdd(out, 1.0f); }
__global__ void add_and_write(float* out) {
  if (threadIdx.x == 0) out[0] = 1;
  if (threadIdx.x == 33) atomicAdd(out, 1.0f);
}
__global__ void write_bytes(uint8_t* out) { out[threadIdx.x] = 1; }
__global__ void write_bytes_and_words(uint8_t* out) {
  out[threadIdx.x] = 1;
  __syncthreads();
  if (threadIdx.x < 16) store32(out + 4 * threadIdx.x, load32(out + 4 * threadIdx.x) + 1);
}
__global__ void write_overlapping_bytes(uint8_t* out) { out[threadIdx.x / 2] = static_cast<uint8_t>(threadIdx.x); }
__global__ void overrun_shared(float* out) {
  YANRT_SHARED(float, a, [32]);
  a[threadIdx.x] = 0;
  __syncthreads();
  out[threadIdx.x] = a[threadIdx.x + (threadIdx.x == 31 ? 8 : 0)];
}
__global__ void read_fresh_shared(float* out) {
  YANRT_SHARED(float, a, [32]);
  out[threadIdx.x] = a[threadIdx.x];
}
__global__ void read_last_blocks_shared(float* out) {
  YANRT_SHARED(float, a, [32]);
  if (blockIdx.x == 0) a[threadIdx.x] = 1;
  out[threadIdx.x + 32 * blockIdx.x] = a[threadIdx.x];
}
__global__ void store_misaligned(float* out) { store128(out + 4 * threadIdx.x + 1, make_uint4(0, 0, 0, 0)); }
__global__ void store_aligned(float* out) { store128(out + 4 * threadIdx.x, make_uint4(0, 0, 0, 0)); }

template <void (*kKernel)(float*), int kBlocks = 1, int kThreads = 32>
cudaError_t run(const Buffers& b) {
  return launch(kKernel, {.grid = kBlocks, .block = kThreads, .stream = b.first}, b.written);
}
template <int kBlocks, int kThreads>
cudaError_t run_bytes(void (*kernel)(uint8_t*), const Buffers& b) {
  return launch(kernel, {.grid = kBlocks, .block = kThreads, .stream = b.first}, reinterpret_cast<uint8_t*>(b.written));
}

cudaError_t use_after_free(const Buffers& b) {
  float* gone = nullptr;
  cudaMalloc(reinterpret_cast<void**>(&gone), 512);
  cudaFree(gone);
  return launch(write_one, {.grid = 1, .block = 32, .stream = b.first}, gone);
}
cudaError_t free_twice(const Buffers&) {
  float* gone = nullptr;
  cudaMalloc(reinterpret_cast<void**>(&gone), 512);
  cudaFree(gone);
  return cudaFree(gone);
}
cudaError_t host_pointer(const Buffers& b) {
  static float* host = static_cast<float*>(std::malloc(512));
  return launch(write_one, {.grid = 1, .block = 32, .stream = b.first}, host);
}
cudaError_t null_pointer(const Buffers& b) {
  return launch(write_one, {.grid = 1, .block = 32, .stream = b.first}, nullptr);
}
cudaError_t other_device(const Buffers& b) {
  float* there = nullptr;
  cudaSetDevice(1);
  cudaMalloc(reinterpret_cast<void**>(&there), 512);
  cudaSetDevice(0);
  const cudaError_t error = launch(write_one, {.grid = 1, .block = 32, .stream = b.first}, there);
  cudaFree(there);
  return error;
}

}  // namespace

void add_memory_cases(std::vector<Case>& cases) {
  cases.push_back({"two blocks write one word", {"race-write-write"}, run<write_same, 2>});
  cases.push_back({"two blocks add to one word", {}, run<add_same, 2>});
  cases.push_back({"an atomic and a plain write", {"race-write-write"}, run<add_and_write, 1, 64>});
  cases.push_back({"neighbouring bytes", {}, [](const Buffers& b) { return run_bytes<1, 64>(write_bytes, b); }});
  cases.push_back(
      {"bytes, then words", {}, [](const Buffers& b) { return run_bytes<1, 64>(write_bytes_and_words, b); }});
  cases.push_back({"two threads write one byte", {"race-write-write"}, [](const Buffers& b) {
                     return run_bytes<1, 64>(write_overlapping_bytes, b);
                   }});
  cases.push_back({"write past an allocation", {"device-bounds"}, [](const Buffers& b) {
                     return launch(write_at, {.grid = 1, .block = 32, .stream = b.first}, b.fresh, 240);
                   }});
  cases.push_back({"write before an allocation", {"device-bounds"}, [](const Buffers& b) {
                     return launch(write_at, {.grid = 1, .block = 32, .stream = b.first}, b.fresh, -16);
                   }});
  cases.push_back({"read of fresh device memory", {"uninitialised"}, [](const Buffers& b) {
                     return launch(copy_words, {.grid = 1, .block = 32, .stream = b.first}, b.written, b.fresh);
                   }});
  cases.push_back({"shared array overrun", {"shared-bounds"}, run<overrun_shared>});
  cases.push_back({"read of fresh shared memory", {"uninitialised"}, run<read_fresh_shared>});
  cases.push_back({"read of another block's shared memory", {"uninitialised"}, run<read_last_blocks_shared, 2>});
  cases.push_back({"misaligned 16-byte store", {"misaligned"}, run<store_misaligned>});
  cases.push_back({"aligned 16-byte store", {}, run<store_aligned>});
  cases.push_back({"use after free", {"device-bounds"}, use_after_free});
  cases.push_back({"free twice", {"bad-free"}, free_twice});
  cases.push_back({"host pointer in a kernel", {"host-pointer"}, host_pointer});
  cases.push_back({"null pointer in a kernel", {"host-pointer"}, null_pointer});
  cases.push_back({"memory of another device", {"wrong-device"}, other_device});
}

}  // namespace yanrt::cuda_selftest
