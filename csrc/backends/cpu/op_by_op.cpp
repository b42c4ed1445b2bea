#include "backends/cpu/op_by_op.h"

#include <algorithm>
#include <cstdlib>

#include "backends/cpu/backend.h"
#include "backends/cpu/executor.h"

namespace yanrt::cpu {
namespace {

class OpByOpProgram final : public BoundProgram {
 public:
  OpByOpProgram(CpuBackend& backend, const Plan& plan, std::span<const std::unique_ptr<Kernel>> kernels,
                std::span<const std::vector<const std::byte*>> constants, const Bindings& bindings)
      : backend_(backend),
        plan_(plan),
        kernels_(kernels),
        constants_(constants),
        inputs_(bindings.inputs.begin(), bindings.inputs.end()),
        outputs_(bindings.outputs.begin(), bindings.outputs.end()),
        bindings_(bindings),
        temporaries_(plan.buffers.size()) {
    bindings_.inputs = inputs_;
    bindings_.outputs = outputs_;
  }

  void run() const noexcept override {
    for (size_t op = 0; op < plan_.ops.size(); ++op) {
      const int index = static_cast<int>(op);
      for (size_t i = 0; i < plan_.buffers.size(); ++i)
        if (plan_.buffers[i].first == index)
          temporaries_[i].reset(static_cast<std::byte*>(std::aligned_alloc(64, plan_.buffers[i].bytes)));
      run_op(op);
      for (size_t i = 0; i < plan_.buffers.size(); ++i)
        if (plan_.buffers[i].last == index) temporaries_[i].reset();
    }
  }

 private:
  struct Job {
    const OpByOpProgram* program;
    const Kernel* kernel;
    std::vector<std::byte*> pointers;
    size_t inputs;

    void run(int worker, int workers) const {
      const int useful = std::min(workers, kernel->useful_workers());
      if (worker >= useful) return;
      CpuBackend& backend = program->backend_;
      kernel->run({.inputs = pointers.data(),
                   .outputs = pointers.data() + inputs,
                   .scratch = backend.scratch() + static_cast<size_t>(worker) * backend.scratch_per_worker(),
                   .worker = worker,
                   .workers = useful});
    }
  };

  void run_op(size_t op) const {
    const PlannedOp& planned = plan_.ops[op];
    Job job{this, kernels_[op].get(), {}, planned.inputs.size()};
    for (size_t i = 0; i < planned.inputs.size(); ++i)
      job.pointers.push_back(address(planned.inputs[i], constants_[op][i]));
    for (const Operand& out : planned.outputs) job.pointers.push_back(address(out, nullptr));
    backend_.pool().run([](void* job, int worker, int workers) { static_cast<Job*>(job)->run(worker, workers); }, &job);
  }

  std::byte* address(const Operand& operand, const std::byte* constant) const {
    return operand.arena == Arena::workspace ? temporaries_[operand.index].get() + operand.offset
                                             : resolve(operand, plan_, bindings_, constant);
  }

  CpuBackend& backend_;
  const Plan& plan_;
  std::span<const std::unique_ptr<Kernel>> kernels_;
  std::span<const std::vector<const std::byte*>> constants_;
  std::vector<std::byte*> inputs_, outputs_;
  Bindings bindings_;
  struct Free {
    void operator()(std::byte* memory) const { std::free(memory); }
  };
  mutable std::vector<std::unique_ptr<std::byte, Free>> temporaries_;
};

}  // namespace

std::unique_ptr<BoundProgram> bind_op_by_op(CpuBackend& backend, const Plan& plan,
                                            std::span<const std::unique_ptr<Kernel>> kernels,
                                            std::span<const std::vector<const std::byte*>> constants,
                                            const Bindings& bindings) {
  backend.scratch();  // before the threads ask for it
  return std::make_unique<OpByOpProgram>(backend, plan, kernels, constants, bindings);
}

}  // namespace yanrt::cpu
