#include "testing/cuda_sim/runtime/graph.h"

#include <algorithm>

#include "testing/cuda_sim/random.h"
#include "testing/cuda_sim/report.h"
#include "testing/cuda_sim/runtime/device.h"
#include "testing/cuda_sim/runtime/stream.h"
#include "testing/cuda_sim/state.h"

namespace yanrt::cuda_sim {
namespace {

std::shared_ptr<const Ancestors> ancestors_of(const CUgraph_st& graph) {
  const size_t n = graph.nodes.size();
  auto ancestors = std::make_shared<Ancestors>(n, std::vector<bool>(n, false));
  for (size_t i = 0; i < n; ++i)  // nodes are in an order of capture, so dependencies come first
    for (int d : graph.nodes[i]->dependencies) {
      (*ancestors)[i][d] = true;
      for (size_t j = 0; j < n; ++j)
        if ((*ancestors)[d][j]) (*ancestors)[i][j] = true;
    }
  return ancestors;
}

size_t pick(const std::vector<int>& ready) {
  switch (options().order) {
    case Order::fifo: return 0;
    case Order::lifo: return ready.size() - 1;
    case Order::random: return random_source().below(ready.size());
  }
  return 0;
}

using Sources = std::vector<std::optional<PinnedSource>>;

// All nodes, in any order that the edges allow.
cudaError_t run_nodes(const CUgraphExec_st& exec, Operation operation, const Sources& sources) {
  const auto& nodes = exec.graph->nodes;
  operation.ancestors = exec.ancestors;
  std::vector<bool> done(nodes.size());
  for (size_t left = nodes.size(); left > 0; --left) {
    std::vector<int> ready;
    for (size_t i = 0; i < nodes.size(); ++i) {
      const auto& needs = nodes[i]->dependencies;
      if (!done[i] && std::all_of(needs.begin(), needs.end(), [&](int d) { return done[d]; }))
        ready.push_back(static_cast<int>(i));
    }
    const int next = ready[pick(ready)];
    operation.node = next;
    begin_operation(operation);
    if (const cudaError_t error = carry_out(nodes[next]->work, sources[next])) return error;
    done[next] = true;
  }
  return cudaSuccess;
}

// Nodes of the capture that the origin stream has not joined.
bool has_loose_nodes(const Capture& capture) {
  const auto& nodes = capture.graph->nodes;
  std::vector<bool> reached(nodes.size());
  std::vector<int> stack = capture.origin->frontier;
  while (!stack.empty()) {
    const int node = stack.back();
    stack.pop_back();
    if (reached[node]) continue;
    reached[node] = true;
    stack.insert(stack.end(), nodes[node]->dependencies.begin(), nodes[node]->dependencies.end());
  }
  return std::find(reached.begin(), reached.end(), false) != reached.end();
}

}  // namespace

void capture_work(cudaStream_t stream, Work work) {
  auto& nodes = stream->capture->graph->nodes;
  nodes.push_back(std::make_shared<CUgraphNode_st>(CUgraphNode_st{std::move(work), stream->frontier}));
  stream->frontier = {static_cast<int>(nodes.size()) - 1};
}

void capture_event(cudaEvent_t event, cudaStream_t stream) {
  event->capture = stream->capture;
  event->frontier = stream->frontier;
}

cudaError_t capture_wait(cudaStream_t stream, cudaEvent_t event) {
  if (stream->capture && stream->capture != event->capture) return failed(cudaErrorStreamCaptureMerge);
  if (!stream->capture) {
    stream->capture = event->capture;
    event->capture->joined.push_back(stream);
    stream->frontier.clear();
  }
  for (int node : event->frontier)
    if (std::find(stream->frontier.begin(), stream->frontier.end(), node) == stream->frontier.end())
      stream->frontier.push_back(node);
  return cudaSuccess;
}

}  // namespace yanrt::cuda_sim

using namespace yanrt::cuda_sim;

extern "C" {

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
  YANRT_SIM_LOCK;
  stream = resolve(stream);
  if (is_default(stream) || stream->capture) return failed(cudaErrorStreamCaptureUnsupported);
  stream->capture = new Capture;
  stream->capture->origin = stream;
  stream->capture->mode = mode;
  stream->capture->thread = std::this_thread::get_id();
  stream->frontier.clear();
  return cudaSuccess;
}

cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  YANRT_SIM_LOCK;
  const Capture* capture = resolve(stream)->capture;
  *status = !capture           ? cudaStreamCaptureStatusNone
            : capture->invalid ? cudaStreamCaptureStatusInvalidated
                               : cudaStreamCaptureStatusActive;
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  YANRT_SIM_LOCK;
  *graph = nullptr;
  stream = resolve(stream);
  if (!stream->capture || stream->capture->origin != stream) return failed(cudaErrorIllegalState);
  const std::unique_ptr<Capture> capture(stream->capture);
  const bool loose = has_loose_nodes(*capture);
  stream->capture = nullptr;
  for (const cudaStream_t joined : capture->joined) joined->capture = nullptr;
  if (capture->invalid) return failed(cudaErrorStreamCaptureInvalidated);
  if (loose) return failed(cudaErrorStreamCaptureUnjoined);
  *graph = capture->graph.release();
  ++mutable_live().graphs;
  return cudaSuccess;
}

cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t* nodes, size_t* count) {
  YANRT_SIM_LOCK;
  if (nodes)
    for (size_t i = 0; i < *count && i < graph->nodes.size(); ++i)
      nodes[i] = reinterpret_cast<cudaGraphNode_t>(graph->nodes[i].get());
  *count = graph->nodes.size();
  return cudaSuccess;
}

cudaError_t cudaGraphNodeGetType(cudaGraphNode_t node, cudaGraphNodeType* type) {
  switch (reinterpret_cast<CUgraphNode_st*>(node)->work.kind) {
    case Work::Kind::kernel: *type = cudaGraphNodeTypeKernel; break;
    case Work::Kind::copy: *type = cudaGraphNodeTypeMemcpy; break;
    case Work::Kind::fill: *type = cudaGraphNodeTypeMemset; break;
    case Work::Kind::host: *type = cudaGraphNodeTypeHost; break;
  }
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long) {
  YANRT_SIM_LOCK;
  *exec = new CUgraphExec_st{std::make_shared<CUgraph_st>(*graph), ancestors_of(*graph)};
  ++mutable_live().graphs;
  return cudaSuccess;
}

cudaError_t cudaGraphUpload(cudaGraphExec_t, cudaStream_t) { return cudaSuccess; }

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  YANRT_SIM_LOCK;
  if (Capture* capture = resolve(stream)->capture) {  // the real one makes a node of it, which no caller here wants
    capture->invalid = true;
    report("capture-unsafe-call", "cudaGraphLaunch on a stream that is being captured", "cudaGraphLaunch");
    return failed(cudaErrorStreamCaptureUnsupported);
  }
  const CUgraphExec_st launched = *exec;
  Sources sources;
  for (const auto& node : launched.graph->nodes) sources.push_back(hand_over(node->work));
  ++mutable_stats().graph_launches;
  return enqueue_task(
      stream, [=](const Operation& operation) { return run_nodes(launched, operation, sources); },
      [=](const void* data, size_t bytes) {
        return std::any_of(launched.graph->nodes.begin(), launched.graph->nodes.end(),
                           [&](const auto& node) { return reads_host_range(node->work, data, bytes); });
      });
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  YANRT_SIM_LOCK;
  delete graph;
  --mutable_live().graphs;
  return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
  YANRT_SIM_LOCK;
  delete exec;
  --mutable_live().graphs;
  return cudaSuccess;
}

}  // extern "C"
