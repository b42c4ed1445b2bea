// Graphs: nodes of work with their dependencies, made by stream capture.
#pragma once

#include <cuda_runtime_api.h>

#include <memory>
#include <thread>
#include <vector>

#include "testing/cuda_sim/order.h"
#include "testing/cuda_sim/runtime/work.h"

struct CUgraphNode_st {
  yanrt::cuda_sim::Work work;
  std::vector<int> dependencies;  // by index
};

struct CUgraph_st {
  std::vector<std::shared_ptr<CUgraphNode_st>> nodes;
};

struct CUgraphExec_st {
  std::shared_ptr<const CUgraph_st> graph;
  std::shared_ptr<const yanrt::cuda_sim::Ancestors> ancestors;
};

namespace yanrt::cuda_sim {

struct Capture {
  std::unique_ptr<CUgraph_st> graph = std::make_unique<CUgraph_st>();
  cudaStream_t origin = nullptr;
  std::vector<cudaStream_t> joined;  // pulled in by an event
  cudaStreamCaptureMode mode = cudaStreamCaptureModeGlobal;
  std::thread::id thread;
  bool invalid = false;
};

// Appends a node to the graph that `stream` captures.
void capture_work(cudaStream_t stream, Work work);
void capture_event(cudaEvent_t event, cudaStream_t stream);
// A wait for an event of a capture: pulls the stream in, or joins two branches.
cudaError_t capture_wait(cudaStream_t stream, cudaEvent_t event);

}  // namespace yanrt::cuda_sim
