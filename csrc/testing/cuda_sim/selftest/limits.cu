#include "backends/cuda/device/device.cuh"
#include "testing/cuda_sim/selftest/case.h"

namespace yanrt::cuda_selftest {
namespace {

using cuda::allow_shared_bytes;
using cuda::launch;

__global__ void write_one(float* out) { out[threadIdx.x] = 1; }
__global__ void use_much_shared(float* out) {
  YANRT_DYNAMIC_SHARED(bytes);
  bytes[threadIdx.x] = 1;
  out[threadIdx.x] = bytes[threadIdx.x];
}

cudaError_t without_asking(const Buffers& b) {
  return launch(write_one, {.grid = 1, .block = 32, .shared_bytes = 64 << 10, .stream = b.first}, b.written);
}
cudaError_t after_asking(const Buffers& b) {
  if (const cudaError_t error = allow_shared_bytes(use_much_shared, 96 << 10)) return error;
  return launch(use_much_shared, {.grid = 1, .block = 32, .shared_bytes = 96 << 10, .stream = b.first}, b.written);
}
cudaError_t ask_for_too_much(const Buffers&) { return allow_shared_bytes(write_one, 120 << 10); }
cudaError_t too_many_threads(const Buffers& b) {
  return launch(write_one, {.grid = 1, .block = 2048, .stream = b.first}, b.written);
}
cudaError_t empty_grid(const Buffers& b) {
  return launch(write_one, {.grid = 0, .block = 32, .stream = b.first}, b.written);
}

}  // namespace

void add_limit_cases(std::vector<Case>& cases) {
  cases.push_back({"64 KB of shared memory without asking", {"error 1"}, without_asking});
  cases.push_back({"96 KB of shared memory after asking", {}, after_asking});
  cases.push_back({"120 KB of shared memory on sm_89", {"error 1"}, ask_for_too_much});
  cases.push_back({"2048 threads", {"error 9"}, too_many_threads});
  cases.push_back({"an empty grid", {"error 9"}, empty_grid});
}

}  // namespace yanrt::cuda_selftest
