#include <cstring>

#include "backends/cuda/device/device.cuh"
#include "testing/cuda_sim/selftest/case.h"

namespace yanrt::cuda_selftest {
namespace {

using cuda::launch;

__global__ void write_one(float* out) { out[threadIdx.x] = 1; }
__global__ void read_words(float* out, const float* in) { out[threadIdx.x] = in[threadIdx.x]; }

cudaError_t write(float* out, cudaStream_t stream) {
  return launch(write_one, {.grid = 1, .block = 32, .stream = stream}, out);
}
cudaError_t read(float* out, const float* in, cudaStream_t stream) {
  return launch(read_words, {.grid = 1, .block = 32, .stream = stream}, out, in);
}

cudaError_t no_event(const Buffers& b) {
  write(b.written, b.first);
  return read(b.written + 256, b.written, b.second);
}

cudaError_t with_event(const Buffers& b) {
  cudaEvent_t event;
  cudaEventCreate(&event);
  write(b.written, b.first);
  cudaEventRecord(event, b.first);
  cudaStreamWaitEvent(b.second, event, 0);
  const cudaError_t error = read(b.written + 256, b.written, b.second);
  cudaEventDestroy(event);
  return error;
}

// The event is recorded before the work that it should cover.
cudaError_t event_too_early(const Buffers& b) {
  cudaEvent_t event;
  cudaEventCreate(&event);
  cudaEventRecord(event, b.first);
  write(b.written, b.first);
  cudaStreamWaitEvent(b.second, event, 0);
  const cudaError_t error = read(b.written + 256, b.written, b.second);
  cudaDeviceSynchronize();
  cudaEventDestroy(event);
  return error;
}

cudaError_t synchronised_by_host(const Buffers& b) {
  write(b.written, b.first);
  cudaStreamSynchronize(b.first);
  return read(b.written + 256, b.written, b.second);
}

// `change` rewrites the staging buffer before its copy has run.
template <bool kChange>
cudaError_t stage(const Buffers& b) {
  float* pinned = nullptr;
  cudaMallocHost(reinterpret_cast<void**>(&pinned), 128);
  std::memset(pinned, 0, 128);
  cudaMemcpyAsync(b.written, pinned, 128, cudaMemcpyHostToDevice, b.first);
  if (!kChange) cudaStreamSynchronize(b.first);
  pinned[3] = 7;
  const cudaError_t error = cudaMemcpyAsync(b.written, pinned, 128, cudaMemcpyHostToDevice, b.first);
  cudaFreeHost(pinned);
  return error;
}

// An early read of a pinned result sees the filler, whatever the order: told by an error here.
template <bool kWait>
cudaError_t read_back(const Buffers& b) {
  float* pinned = nullptr;
  cudaMallocHost(reinterpret_cast<void**>(&pinned), 128);
  std::memset(pinned, 0, 128);
  cudaMemcpyAsync(pinned, b.written, 128, cudaMemcpyDeviceToHost, b.first);
  if (kWait) cudaStreamSynchronize(b.first);
  const float value = pinned[5];
  cudaFreeHost(pinned);
  return value == 0 ? cudaSuccess : cudaErrorUnknown;
}

cudaError_t copy_races_with_kernel(const Buffers& b) {
  write(b.written, b.first);
  return cudaMemcpyAsync(b.written + 256, b.written, 128, cudaMemcpyDeviceToDevice, b.second);
}

cudaError_t copy_of_fresh_bytes(const Buffers& b) {
  float host[32];
  return cudaMemcpy(host, b.fresh, sizeof host, cudaMemcpyDeviceToHost);
}

cudaError_t copy_too_much(const Buffers& b) {
  static float host[1024];
  return cudaMemcpy(b.fresh, host, sizeof host, cudaMemcpyHostToDevice);
}

// cudaMemcpy of pageable memory is only staged when it returns, and the default stream does not hold up others.
template <bool kWait>
cudaError_t copy_then_other_stream(const Buffers& b) {
  static float host[32];
  cudaMemcpy(b.written, host, sizeof host, cudaMemcpyHostToDevice);
  if (kWait) cudaStreamSynchronize(nullptr);
  return read(b.written + 256, b.written, b.second);
}

cudaError_t wrong_direction(const Buffers& b) {
  static float host[32];
  return cudaMemcpyAsync(b.written, host, sizeof host, cudaMemcpyDeviceToHost, b.first);
}

cudaError_t rows_of_a_matrix(const Buffers& b) {
  float host[32];
  cudaMemcpy2DAsync(host, 16, b.written, 64, 16, 8, cudaMemcpyDeviceToHost, b.first);
  return cudaMemset2DAsync(b.written, 64, 1, 16, 8, b.first);
}

cudaError_t free_in_stream(const Buffers& b) {
  void* memory = nullptr;
  cudaMallocAsync(&memory, 512, b.first);
  write(static_cast<float*>(memory), b.first);
  return cudaFreeAsync(memory, b.first);
}
cudaError_t use_after_free_in_stream(const Buffers& b) {
  void* memory = nullptr;
  cudaMallocAsync(&memory, 512, b.first);
  cudaFreeAsync(memory, b.first);
  return write(static_cast<float*>(memory), b.first);
}

}  // namespace

void add_stream_cases(std::vector<Case>& cases) {
  const std::vector<std::string> race = {"race-between-operations"};
  cases.push_back({"two streams without an event", race, no_event});
  cases.push_back({"two streams with an event", {}, with_event});
  cases.push_back({"event recorded too early", race, event_too_early});
  cases.push_back({"two streams, synchronised by the host", {}, synchronised_by_host});
  cases.push_back({"copy in another stream", race, copy_races_with_kernel});
  cases.push_back({"staging overwritten", {"staging-overwritten"}, stage<true>});
  cases.push_back({"staging rewritten after its copy", {}, stage<false>});
  cases.push_back({"result read too early", {"error 999"}, read_back<false>});
  cases.push_back({"result read in time", {}, read_back<true>});
  cases.push_back({"pageable copy, then another stream", race, copy_then_other_stream<false>});
  cases.push_back({"pageable copy, waited for", {}, copy_then_other_stream<true>});
  cases.push_back({"copy of bytes never written", {"copy-uninitialised"}, copy_of_fresh_bytes});
  cases.push_back({"copy past an allocation", {"copy-bounds"}, copy_too_much});
  cases.push_back({"copy in the wrong direction", {"copy-direction"}, wrong_direction});
  cases.push_back({"copy and fill of rows", {}, rows_of_a_matrix});
  cases.push_back({"free in a stream", {}, free_in_stream});
  cases.push_back({"use after free in a stream", {"device-bounds"}, use_after_free_in_stream});
}

}  // namespace yanrt::cuda_selftest
