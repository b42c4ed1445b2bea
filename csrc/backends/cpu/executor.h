// Walks a plan: one kernel after the other, all threads on each, a barrier between them.
#pragma once

#include <memory>
#include <vector>

#include "backends/cpu/kernel.h"
#include "runtime/backend.h"

namespace yanrt::cpu {

class CpuBackend;

class CpuExecutable final : public Executable {
 public:
  CpuExecutable(CpuBackend& backend, const Plan& plan) : backend_(backend), plan_(plan) {}

  // The kernel of the next op of the plan; `constants` are addresses of the operands it reads in place, else null.
  void add(std::unique_ptr<Kernel> kernel, std::vector<const std::byte*> constants);

  std::unique_ptr<BoundProgram> bind(const Bindings& bindings) const override;
  std::string_view variant(size_t op) const override { return kernels_[op]->variant(); }

 private:
  CpuBackend& backend_;
  const Plan& plan_;
  std::vector<std::unique_ptr<Kernel>> kernels_;
  std::vector<std::vector<const std::byte*>> constants_;
};

}  // namespace yanrt::cpu
