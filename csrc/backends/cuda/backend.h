// One GPU as a backend: kernels chosen by its architecture, each call of a session one launch of a captured graph.
#pragma once

#include <memory>

#include "backends/cuda/cuda.h"
#include "backends/cuda/lane.h"

namespace yanrt::cuda {

class CudaBackend final : public Backend {
 public:
  explicit CudaBackend(const Options& options);

  BackendInfo info() const override;
  std::unique_ptr<Executable> compile(const Plan& plan, const Package& package, Precision precision) override;
  std::unique_ptr<Memory> allocate(size_t bytes) override;
  std::unique_ptr<Sequence> record(const SequenceSpec& spec) override;
  // Ops are nodes of a graph: only whole stages are timed. Throws Error(unsupported), but for null.
  void set_profiler(Profiler* profiler) override;
  size_t weight_bytes() const override;
  size_t scratch_bytes() const override;

  const DeviceInfo& device() const { return main_.device; }
  // All work of the engine goes here, in order, but for the decoder's; so sessions can share its workspace and scratch.
  cudaStream_t stream() const { return main_.stream.get(); }
  Lane& lane() { return main_; }
  // Of the programs that keep no state, or null if they run in the one lane there is.
  Lane* decoder() { return decoder_.get(); }
  bool graphs() const { return graphs_; }

 private:
  Lane main_;
  std::unique_ptr<Lane> decoder_;
  bool graphs_;
};

}  // namespace yanrt::cuda
