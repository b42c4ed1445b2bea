#include "backends/cpu/executor.h"

#include <algorithm>

#include "backends/cpu/backend.h"
#include "backends/cpu/op_by_op.h"
#include "runtime/profiler.h"

namespace yanrt::cpu {

namespace {

class CpuBoundProgram final : public BoundProgram {
 public:
  struct Call {
    const Kernel* kernel;
    size_t inputs, outputs;  // where its pointers start in `pointers`
    bool barrier_after;
  };

  CpuBoundProgram(CpuBackend& backend, const Plan& plan, std::vector<Call> calls, std::vector<std::byte*> pointers)
      : backend_(backend),
        plan_(plan),
        scratch_(backend.scratch()),
        scratch_per_worker_(backend.scratch_per_worker()),
        calls_(std::move(calls)),
        pointers_(std::move(pointers)) {}

  void run() const noexcept override {
    Job job{this, backend_.profiler() ? backend_.profiler()->next_run(plan_) : nullptr};
    backend_.pool().run([](void* job, int worker, int workers) { static_cast<Job*>(job)->walk(worker, workers); },
                        &job);
  }

 private:
  struct Job {
    const CpuBoundProgram* program;
    Profiler::Span* spans;  // of all workers; null: not recorded
    void walk(int worker, int workers) const {
      spans ? program->walk_recorded(worker, workers, spans + static_cast<size_t>(worker) * program->calls_.size())
            : program->walk(worker, workers);
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
      if (call.barrier_after) backend_.pool().barrier().wait(worker);
    }
  }

  // The same walk: a profile must not change what it measures.
  void walk_recorded(int worker, int workers, Profiler::Span* spans) const {
    for (const Call& call : calls_) {
      Profiler::Span& span = *spans++;
      if (worker < call.kernel->useful_workers()) {
        span.begin = Profiler::now();
        run_call(call, worker, workers);
        span.end = Profiler::now();
      }
      if (call.barrier_after) backend_.pool().barrier().wait(worker);
    }
  }

  CpuBackend& backend_;
  const Plan& plan_;
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
  if (backend_.op_by_op()) return bind_op_by_op(backend_, plan_, kernels_, constants_, bindings);
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
  return std::make_unique<CpuBoundProgram>(backend_, plan_, std::move(calls), std::move(pointers));
}

}  // namespace yanrt::cpu
