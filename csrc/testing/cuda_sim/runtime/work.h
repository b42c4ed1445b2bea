// A unit of device work: a kernel, a copy, a memset or a host function; alone in a stream, or as a node of a graph.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>
#include <memory>
#include <optional>

#include "testing/cuda_sim/scheduler.h"

namespace yanrt::cuda_sim {

// Rows of bytes; a plain copy has one row.
struct Area {
  std::byte* data = nullptr;
  size_t pitch = 0;
};

struct Work {
  enum class Kind { kernel, copy, fill, host } kind = Kind::kernel;
  int device = 0;
  // kernel
  std::shared_ptr<const KernelCall> call;
  dim3 grid, block;
  size_t shared_bytes = 0;
  // copy and fill
  Area to, from;
  size_t width = 0, rows = 1;
  int value = 0;
  // host
  cudaHostFn_t function = nullptr;
  void* argument = nullptr;
};

// State of pinned memory when work was handed over: a source must not change before it is read.
struct PinnedSource {
  uint64_t hash;
  uint64_t writes;  // of the device or a host function into pinned memory so far
};

// Called when work is enqueued (a node: when its graph is launched). Fills a pinned target, whose bytes may arrive any
// time from now on, so that reading it too early shows.
std::optional<PinnedSource> hand_over(const Work& work);
// Carries it out. An error if the device is lost.
cudaError_t carry_out(const Work& work, const std::optional<PinnedSource>& source);
// Whether the work reads host memory in [data, data + bytes).
bool reads_host_range(const Work& work, const void* data, size_t bytes);

}  // namespace yanrt::cuda_sim
