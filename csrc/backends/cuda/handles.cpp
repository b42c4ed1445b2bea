#include "backends/cuda/handles.h"

#include <algorithm>
#include <cstring>

namespace yanrt::cuda {

Stream make_stream() {
  cudaStream_t stream = nullptr;
  check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
  return Stream(stream);
}

Event make_event(bool timed) {
  cudaEvent_t event = nullptr;
  const unsigned flags = cudaEventBlockingSync | (timed ? cudaEventDefault : cudaEventDisableTiming);
  check(cudaEventCreateWithFlags(&event, flags), "cudaEventCreateWithFlags");
  return Event(event);
}

GraphExec instantiate(const Graph& graph) {
  cudaGraphExec_t exec = nullptr;
  check(cudaGraphInstantiate(&exec, graph.get(), 0), "cudaGraphInstantiate");
  return GraphExec(exec);
}

DeviceBuffer::DeviceBuffer(size_t bytes) : size_(bytes) {
  void* memory = nullptr;
  check(cudaMalloc(&memory, std::max<size_t>(bytes, 1)), "cudaMalloc");
  memory_ = Handle<void*, cudaFree>(memory);
  if (bytes) check(cudaMemset(memory, 0, bytes), "cudaMemset");
  // The default stream, which has set it, and streams that do not block do not wait for each other.
  check(cudaStreamSynchronize(nullptr), "cudaStreamSynchronize");
}

PinnedBuffer::PinnedBuffer(size_t bytes) : size_(bytes) {
  void* memory = nullptr;
  check(cudaHostAlloc(&memory, std::max<size_t>(bytes, 1), cudaHostAllocDefault), "cudaHostAlloc");
  memory_ = Handle<void*, cudaFreeHost>(memory);
  std::memset(memory, 0, bytes);
}

}  // namespace yanrt::cuda
