// Streams, events and what waits in them. Work does not run when it is enqueued: it waits until something synchronises,
// and then streams interleave in any order that events allow.
#pragma once

#include <cuda_runtime_api.h>

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "testing/cuda_sim/order.h"
#include "testing/cuda_sim/runtime/work.h"

namespace yanrt::cuda_sim {

struct Capture;

struct Task {
  std::function<cudaError_t()> run;
  std::function<bool()> ready;                          // empty: at once
  std::function<bool(const void*, size_t)> reads_host;  // whether it still has to read from these pinned bytes
};

}  // namespace yanrt::cuda_sim

// The runtime's own handle types.
struct CUstream_st {
  int device = 0;
  bool non_blocking = false;
  uint32_t timeline = 0;
  uint64_t sequence = 0;
  yanrt::cuda_sim::Clock clock;
  std::deque<yanrt::cuda_sim::Task> queue;
  yanrt::cuda_sim::Capture* capture = nullptr;
  std::vector<int> frontier;  // while capturing: the nodes that the next one depends on
};

struct CUevent_st {
  uint64_t recorded = 0, done = 0;
  yanrt::cuda_sim::Clock clock;
  yanrt::cuda_sim::Capture* capture = nullptr;
  std::vector<int> frontier;
  std::chrono::steady_clock::time_point time{};
};

namespace yanrt::cuda_sim {

// Null and the legacy handle name the default stream of the current device.
cudaStream_t resolve(cudaStream_t stream);
bool is_default(cudaStream_t stream);
std::vector<cudaStream_t>& streams();

// Puts work into a stream, or a node into the graph that it captures.
cudaError_t enqueue(cudaStream_t stream, Work work);
// Puts a whole task into a stream. `begin` is told the operation when its turn comes.
cudaError_t enqueue_task(cudaStream_t stream, std::function<cudaError_t(const Operation&)> begin,
                         std::function<bool(const void*, size_t)> reads_host);

// Runs work until `done`; a report and an error if streams wait for one another.
cudaError_t run_until(const std::function<bool()>& done);
bool run_one();
// The host now knows that everything in the stream is finished.
void host_learns(const Clock& clock);
cudaError_t synchronize_all(const char* call);
// Fails, and reports, if a call that is not allowed during a capture is made during one.
cudaError_t refuse_while_capturing(const char* call);

}  // namespace yanrt::cuda_sim
