// One GPU as a backend: kernels chosen by its architecture, each call of a session one launch of a captured graph.
#pragma once

#include <memory>

#include "backends/cuda/cuda.h"
#include "backends/cuda/device_info.h"
#include "backends/cuda/handles.h"
#include "backends/cuda/weights.h"

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
  size_t weight_bytes() const override { return weights_.bytes(); }
  size_t scratch_bytes() const override { return scratch_bytes_; }

  const DeviceInfo& device() const { return device_; }
  // All work of the engine goes here, in order; so sessions can share its workspace and scratch.
  cudaStream_t stream() const { return stream_.get(); }
  // Of every kernel compiled so far; allocated at the first call.
  std::byte* scratch();

 private:
  DeviceInfo device_;
  Weights weights_;
  Stream stream_;
  size_t scratch_bytes_ = 0;
  DeviceBuffer scratch_;
};

}  // namespace yanrt::cuda
