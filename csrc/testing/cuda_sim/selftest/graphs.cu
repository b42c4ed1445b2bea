#include "backends/cuda/device/device.cuh"
#include "testing/cuda_sim/selftest/case.h"

namespace yanrt::cuda_selftest {
namespace {

using cuda::launch;

__global__ void write_one(float* out) { out[threadIdx.x] = 1; }
__global__ void read_words(float* out, const float* in) { out[threadIdx.x] = in[threadIdx.x]; }

enum class Fault { none, no_fork, no_join, no_edge, synchronise, allocate, default_stream, outside_event };

// Two branches: the first writes, the second reads what it wrote, and joins.
template <Fault kFault>
cudaError_t capture(const Buffers& b, cudaGraph_t* graph) {
  cudaEvent_t fork, join;
  cudaEventCreate(&fork);
  cudaEventCreate(&join);
  if (kFault == Fault::outside_event) cudaEventRecord(join, b.second);
  cudaStreamBeginCapture(b.first, cudaStreamCaptureModeThreadLocal);
  if (kFault == Fault::outside_event) cudaStreamWaitEvent(b.first, join, 0);
  if (kFault == Fault::no_edge) cudaEventRecord(fork, b.first);
  launch(write_one, {.grid = 1, .block = 32, .stream = b.first}, b.written);
  if (kFault != Fault::no_edge) cudaEventRecord(fork, b.first);
  if (kFault != Fault::no_fork) cudaStreamWaitEvent(b.second, fork, 0);
  launch(read_words, {.grid = 1, .block = 32, .stream = b.second}, b.written + 256, b.written);
  cudaEventRecord(join, b.second);
  if (kFault != Fault::no_join && kFault != Fault::no_fork) cudaStreamWaitEvent(b.first, join, 0);
  void* memory = nullptr;
  if (kFault == Fault::synchronise) cudaStreamSynchronize(b.first);
  if (kFault == Fault::allocate) cudaMalloc(&memory, 64);
  if (kFault == Fault::default_stream) launch(write_one, {.grid = 1, .block = 32}, b.written + 512);
  const cudaError_t error = cudaStreamEndCapture(b.first, graph);
  cudaEventDestroy(fork);
  cudaEventDestroy(join);
  return error;
}

template <Fault kFault>
cudaError_t run(const Buffers& b) {
  cudaGraph_t graph = nullptr;
  if (const cudaError_t error = capture<kFault>(b, &graph)) return error;
  cudaGraphExec_t exec = nullptr;
  cudaGraphInstantiate(&exec, graph, 0);
  cudaError_t error = cudaSuccess;
  for (int launched = 0; launched < 3 && error == cudaSuccess; ++launched) error = cudaGraphLaunch(exec, b.first);
  cudaDeviceSynchronize();
  cudaGraphExecDestroy(exec);
  cudaGraphDestroy(graph);
  return error;
}

// As a thread does that plays on the stream on which another one captures.
cudaError_t launch_into_a_capture(const Buffers& b) {
  cudaGraph_t graph = nullptr, other = nullptr;
  if (const cudaError_t error = capture<Fault::none>(b, &graph)) return error;
  cudaGraphExec_t exec = nullptr;
  cudaGraphInstantiate(&exec, graph, 0);
  cudaStreamBeginCapture(b.first, cudaStreamCaptureModeThreadLocal);
  cudaGraphLaunch(exec, b.first);
  const cudaError_t error = cudaStreamEndCapture(b.first, &other);
  if (other) cudaGraphDestroy(other);
  cudaGraphExecDestroy(exec);
  cudaGraphDestroy(graph);
  return error;
}

}  // namespace

void add_graph_cases(std::vector<Case>& cases) {
  cases.push_back({"graph of two branches", {}, run<Fault::none>});
  cases.push_back({"work that the capture does not see", {"race-between-operations"}, run<Fault::no_fork>});
  cases.push_back({"branch never joined", {"error 904"}, run<Fault::no_join>});
  cases.push_back({"edge missing in a graph", {"race-between-operations"}, run<Fault::no_edge>});
  cases.push_back({"synchronise during a capture", {"capture-unsafe-call"}, run<Fault::synchronise>});
  cases.push_back({"allocate during a capture", {"capture-unsafe-call"}, run<Fault::allocate>});
  cases.push_back({"default stream during a capture", {"capture-unsafe-call"}, run<Fault::default_stream>});
  cases.push_back({"another graph launched into a capture", {"capture-unsafe-call"}, launch_into_a_capture});
  cases.push_back(
      {"wait for an event outside the capture", {"error 905", "error 907", "error 901"}, run<Fault::outside_event>});
}

}  // namespace yanrt::cuda_selftest
