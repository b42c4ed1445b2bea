// CUDA's handles as values with one owner.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <utility>

#include "backends/cuda/error.h"

namespace yanrt::cuda {

// Owns a handle that `destroy` gives back. Destruction reports nothing: after a failure of the device every call fails.
template <class T, cudaError_t (*destroy)(T)>
class Handle {
 public:
  Handle() = default;
  explicit Handle(T handle) : handle_(handle) {}
  Handle(Handle&& other) noexcept : handle_(std::exchange(other.handle_, T{})) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Handle() {
    if (handle_) destroy(handle_);
  }
  T get() const { return handle_; }
  explicit operator bool() const { return handle_ != T{}; }

 private:
  T handle_ = {};
};

using Stream = Handle<cudaStream_t, cudaStreamDestroy>;
using Event = Handle<cudaEvent_t, cudaEventDestroy>;
using Graph = Handle<cudaGraph_t, cudaGraphDestroy>;
using GraphExec = Handle<cudaGraphExec_t, cudaGraphExecDestroy>;

// One that does not wait for the legacy default stream.
Stream make_stream();
// `timed`: its time can be compared with another's. Waiting on it gives up the processor.
Event make_event(bool timed);
GraphExec instantiate(const Graph& graph);

// Device memory, 256-byte aligned, zeroed. 0 bytes are one.
class DeviceBuffer {
 public:
  DeviceBuffer() = default;
  explicit DeviceBuffer(size_t bytes);
  std::byte* data() const { return static_cast<std::byte*>(memory_.get()); }
  size_t size() const { return size_; }

 private:
  Handle<void*, cudaFree> memory_;
  size_t size_ = 0;
};

// Memory of the host that the device copies from and to without a detour.
class PinnedBuffer {
 public:
  PinnedBuffer() = default;
  explicit PinnedBuffer(size_t bytes);
  std::byte* data() const { return static_cast<std::byte*>(memory_.get()); }
  size_t size() const { return size_; }

 private:
  Handle<void*, cudaFreeHost> memory_;
  size_t size_ = 0;
};

}  // namespace yanrt::cuda
