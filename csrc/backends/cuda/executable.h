// The kernels of one plan, and what binds them to addresses.
#pragma once

#include <memory>
#include <vector>

#include "backends/cuda/kernel.h"
#include "backends/cuda/lane.h"
#include "runtime/backend.h"

namespace yanrt::cuda {

class CudaBackend;

// A program whose kernels know their operands. Launching it changes nothing of it.
class CudaProgram final : public BoundProgram {
 public:
  // Runs at once, outside any graph. Throws Error(device).
  void run() const override;
  void enqueue(cudaStream_t stream) const;

 private:
  friend class CudaExecutable;
  struct Call {
    const Kernel* kernel;
    size_t inputs, outputs;  // where its pointers start in `pointers_`
  };
  explicit CudaProgram(Lane& lane) : lane_(lane), scratch_(lane.scratch()) {}
  void launch(const Call& call, cudaStream_t stream) const;

  const Lane& lane_;
  std::byte* scratch_;
  std::vector<Call> calls_;
  std::vector<std::byte*> pointers_;  // of all calls, inputs then outputs
};

class CudaExecutable final : public Executable {
 public:
  CudaExecutable(CudaBackend& backend, Lane& lane, const Plan& plan) : backend_(backend), lane_(lane), plan_(plan) {}

  const Lane& lane() const { return lane_; }
  const Plan& plan() const { return plan_; }

  // The kernel of the next op of the plan; `constants` are addresses of the operands it reads in place, else null.
  void add(std::unique_ptr<Kernel> kernel, std::vector<const std::byte*> constants);

  // In the decoder's lane the workspace is the lane's own, not that of `bindings`.
  std::unique_ptr<BoundProgram> bind(const Bindings& bindings) const override { return bind_program(bindings); }
  std::unique_ptr<CudaProgram> bind_program(const Bindings& bindings) const;
  std::string_view variant(size_t op) const override { return kernels_[op]->variant(); }

 private:
  CudaBackend& backend_;
  Lane& lane_;
  const Plan& plan_;
  std::vector<std::unique_ptr<Kernel>> kernels_;
  std::vector<std::vector<const std::byte*>> constants_;
};

}  // namespace yanrt::cuda
