// Programs run as frameworks run them: for every op, memory for its outputs is allocated, its operands are looked up,
// and the threads are woken. Only `yanrt bench --ablate` uses it, to show what the static plan gives.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "backends/cpu/kernel.h"
#include "runtime/backend.h"

namespace yanrt::cpu {

class CpuBackend;

// `kernels` and `constants`, one an op of the plan, must outlive the result.
std::unique_ptr<BoundProgram> bind_op_by_op(CpuBackend& backend, const Plan& plan,
                                            std::span<const std::unique_ptr<Kernel>> kernels,
                                            std::span<const std::vector<const std::byte*>> constants,
                                            const Bindings& bindings);

}  // namespace yanrt::cpu
