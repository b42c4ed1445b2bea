// A call of a session as CUDA graphs: captured once, then launched with one call a frame.
//
//   inputs    copied from pinned staging memory by the graph's first nodes
//   stages    the kernels of the programs, in order; the last ones, if they touch no state (the decoder), on a second
//             stream
//   publish   beside those: pending values become state. The state is advanced on the device, nothing of it passes
//             through the host
//   outputs   copied to pinned staging memory
//
// Whatever changes from call to call lies in device memory when a kernel reads it: state, or a staged input. Staging
// memory has kStagingSlots slots, each with a graph of its own, so that the host fills one while the device reads
// another. A backend without graphs (Options::graphs) issues the same calls anew each time.
#pragma once

#include <array>
#include <vector>

#include "backends/cuda/executable.h"
#include "backends/cuda/handles.h"
#include "backends/cuda/staging.h"
#include "runtime/backend.h"

namespace yanrt::cuda {

// Captures what `record(stream)` puts on the stream it is given, one of its own: sessions that other threads play on
// the engine's stream meanwhile would end up in the graph. If it throws, the capture is ended and the error passed on.
template <class Record>
Graph capture(const Record& record) {
  const Stream stream = make_stream();
  check(cudaStreamBeginCapture(stream.get(), cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
  cudaGraph_t graph = nullptr;
  try {
    record(stream.get());
  } catch (...) {
    cudaStreamEndCapture(stream.get(), &graph);
    const Graph abandoned(graph);
    throw;
  }
  check(cudaStreamEndCapture(stream.get(), &graph), "cudaStreamEndCapture");
  return Graph(graph);
}

class CapturedSequence final : public Sequence {
 public:
  CapturedSequence(CudaBackend& backend, const SequenceSpec& spec);
  ~CapturedSequence() override;

  void start(std::span<const std::byte* const> inputs) override;
  void finish(std::span<std::byte* const> outputs, std::span<double> milliseconds) override;
  int depth() const override { return kStagingSlots; }

 private:
  struct Slot {
    PinnedBuffer inputs, outputs;
    std::vector<Event> marks;  // before the first stage, and after each
    Event done;
    GraphExec graph;
  };
  void record(const Slot& slot, cudaStream_t stream) const;
  void record_inputs(const Slot& slot, cudaStream_t stream) const;
  void record_stages(const Slot& slot, size_t first, size_t end, cudaStream_t stream) const;
  void record_publication(cudaStream_t stream) const;
  void record_outputs(const Slot& slot, cudaStream_t stream) const;

  CudaBackend& backend_;
  SequenceSpec spec_;  // its bindings' ports are not used after construction
  std::vector<std::unique_ptr<CudaProgram>> programs_;
  size_t first_pure_;  // of the stages after which none touches state
  Stream second_;      // branches off the stream of record()
  Event forked_, joined_;
  std::array<Slot, kStagingSlots> slots_;
  int64_t started_ = 0, finished_ = 0;
};

}  // namespace yanrt::cuda
