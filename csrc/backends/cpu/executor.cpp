#include "backends/cpu/executor.h"

#include <algorithm>
#include <chrono>

#include "backends/cpu/backend.h"

namespace yanrt::cpu {
namespace {

std::byte* resolve(const Operand& operand, const Plan& plan, const Bindings& bindings, const std::byte* constant) {
  switch (operand.arena) {
    case Arena::absent: return nullptr;
    case Arena::constant: return constant ? const_cast<std::byte*>(constant) + operand.offset : nullptr;
    case Arena::input: return bindings.inputs[operand.index] + operand.offset;
    case Arena::output: return bindings.outputs[operand.index] + operand.offset;
    case Arena::state: return bindings.state + operand.offset;
    case Arena::pending: return bindings.pending + operand.offset;
    case Arena::workspace: return bindings.workspace + plan.buffers[operand.index].offset + operand.offset;
  }
  return nullptr;
}

class CpuBoundProgram final : public BoundProgram {
 public:
  struct Call {
    const Kernel* kernel;
    size_t inputs, outputs;  // where its pointers start in `pointers`
    bool barrier_after;
  };

  CpuBoundProgram(CpuBackend& backend, std::vector<Call> calls, std::vector<std::byte*> pointers)
      : pool_(backend.pool()),
        scratch_(backend.scratch()),
        scratch_per_worker_(backend.scratch_per_worker()),
        calls_(std::move(calls)),
        pointers_(std::move(pointers)) {}

  void run(OpTimes* times) const noexcept override {
    Job job{this, times};
    pool_.run([](void* job, int worker, int workers) { static_cast<Job*>(job)->walk(worker, workers); }, &job);
  }

 private:
  struct Job {
    const CpuBoundProgram* program;
    OpTimes* times;
    void walk(int worker, int workers) const {
      times ? program->walk_timed(worker, workers, *times) : program->walk(worker, workers);
    }
  };

  void run_call(const Call& call, int worker, int workers) const {
    if (worker >= call.kernel->useful_workers()) return;
    call.kernel->run({.inputs = pointers_.data() + call.inputs,
                      .outputs = pointers_.data() + call.outputs,
                      .scratch = scratch_ + static_cast<size_t>(worker) * scratch_per_worker_,
                      .worker = worker,
                      .workers = std::min(workers, call.kernel->useful_workers())});
  }

  void walk(int worker, int workers) const {
    for (const Call& call : calls_) {
      run_call(call, worker, workers);
      if (call.barrier_after) pool_.barrier().wait();
    }
  }

  void walk_timed(int worker, int workers, OpTimes& times) const {
    auto start = std::chrono::steady_clock::now();
    for (size_t i = 0; i < calls_.size(); ++i) {
      run_call(calls_[i], worker, workers);
      pool_.barrier().wait();
      if (worker != 0) continue;
      const auto end = std::chrono::steady_clock::now();
      times.milliseconds[i] += std::chrono::duration<double, std::milli>(end - start).count();
      start = end;
    }
  }

  ThreadPool& pool_;
  std::byte* scratch_;
  size_t scratch_per_worker_;
  std::vector<Call> calls_;
  std::vector<std::byte*> pointers_;  // of all calls, inputs then outputs
};

}  // namespace

void CpuExecutable::add(std::unique_ptr<Kernel> kernel, std::vector<const std::byte*> constants) {
  kernels_.push_back(std::move(kernel));
  constants_.push_back(std::move(constants));
}

std::unique_ptr<BoundProgram> CpuExecutable::bind(const Bindings& bindings) const {
  std::vector<CpuBoundProgram::Call> calls;
  std::vector<std::byte*> pointers;
  for (size_t i = 0; i < plan_.ops.size(); ++i) {
    const PlannedOp& op = plan_.ops[i];
    CpuBoundProgram::Call call{kernels_[i].get(), pointers.size(), pointers.size() + op.inputs.size(), true};
    // Two kernels in a row that only worker 0 runs need no barrier between them.
    if (i + 1 < plan_.ops.size() && kernels_[i]->useful_workers() == 1 && kernels_[i + 1]->useful_workers() == 1)
      call.barrier_after = false;
    for (size_t j = 0; j < op.inputs.size(); ++j)
      pointers.push_back(resolve(op.inputs[j], plan_, bindings, constants_[i][j]));
    for (const Operand& out : op.outputs) pointers.push_back(resolve(out, plan_, bindings, nullptr));
    calls.push_back(call);
  }
  return std::make_unique<CpuBoundProgram>(backend_, std::move(calls), std::move(pointers));
}

}  // namespace yanrt::cpu
