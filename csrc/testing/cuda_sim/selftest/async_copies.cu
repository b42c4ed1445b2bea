#include "backends/cuda/device/device.cuh"
#include "testing/cuda_sim/selftest/case.h"

namespace yanrt::cuda_selftest {
namespace {

using namespace cuda;

enum class Fault { none, no_wait, no_barrier, wait_for_too_few, overwrite, misaligned, too_long };

// Two groups of 16 bytes a thread, then every thread reads what a neighbour has copied.
template <Fault kFault>
__global__ void stage(float* out, const float* in) {
  YANRT_DYNAMIC_SHARED(bytes);
  const unsigned t = threadIdx.x;
  auto* words = reinterpret_cast<float*>(bytes);
  const int count = kFault == Fault::too_long ? 20 : 16;
  cp_async_16(bytes + 16 * t, in + 4 * t + (kFault == Fault::misaligned ? 1 : 0), count);
  cp_async_commit();
  cp_async_16(bytes + 16 * (64 + t), in + 4 * (64 + t));
  cp_async_commit();
  if (kFault == Fault::overwrite) words[4 * t] = 1;
  if (kFault != Fault::no_wait) cp_async_wait<kFault == Fault::wait_for_too_few ? 2 : 1>();
  if (kFault != Fault::no_barrier) __syncthreads();
  out[t] = words[4 * (63 - t)];
  cp_async_wait<0>();
  __syncthreads();
  out[64 + t] = words[4 * (127 - t)];
}

__global__ void fill_rest_with_zeros(float* out, const float* in) {
  YANRT_DYNAMIC_SHARED(bytes);
  cp_async_16(bytes + 16 * threadIdx.x, in, 0);
  cp_async_commit();
  cp_async_wait<0>();
  __syncthreads();
  const float sum = warp_sum(reinterpret_cast<float*>(bytes)[4 * threadIdx.x + 3]);
  if (sum != 0) out[4096] = 1;  // out of bounds: a wrong value is a report
}

template <Fault kFault>
cudaError_t run(const Buffers& b) {
  return launch(stage<kFault>, {.grid = 1, .block = 64, .shared_bytes = 2048, .stream = b.first}, b.written + 896,
                b.written);
}

}  // namespace

void add_async_copy_cases(std::vector<Case>& cases) {
  cases.push_back({"cp.async done right", {}, run<Fault::none>});
  cases.push_back({"cp.async read without a wait", {"async-copy-race"}, run<Fault::no_wait>});
  cases.push_back({"cp.async wait for too few groups", {"async-copy-race"}, run<Fault::wait_for_too_few>});
  cases.push_back({"cp.async wait without a barrier",
                   {"race-read-after-write", "async-copy-race", "uninitialised"},
                   run<Fault::no_barrier>});
  cases.push_back({"write under a cp.async", {"async-copy-race"}, run<Fault::overwrite>});
  cases.push_back({"cp.async from a misaligned address", {"misaligned"}, run<Fault::misaligned>});
  cases.push_back({"cp.async of more than 16 bytes", {"cp-async-size"}, run<Fault::too_long>});
  cases.push_back({"cp.async of no bytes writes zeros", {}, [](const Buffers& b) {
                     return launch(fill_rest_with_zeros,
                                   {.grid = 1, .block = 32, .shared_bytes = 512, .stream = b.first}, b.written,
                                   b.written);
                   }});
}

}  // namespace yanrt::cuda_selftest
