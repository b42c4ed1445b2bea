// The kernels of the CPU backend: one line an op, in the order of core/ops.def.
#include <string_view>

#include "backends/cpu/kernel.h"

namespace yanrt::cpu {

// Each is defined in kernels/<op>.cpp.
std::unique_ptr<Kernel> make_linear(const KernelSpec& spec);
std::unique_ptr<Kernel> make_conv2d(const KernelSpec& spec);

namespace {

struct Entry {
  std::string_view op;
  KernelFactory make;
};

constexpr Entry kKernels[] = {
    {"linear", make_linear},
    {"conv2d", make_conv2d},
};

}  // namespace

KernelFactory find_kernel(std::string_view op) {
  for (const Entry& entry : kKernels)
    if (entry.op == op) return entry.make;
  return nullptr;
}

}  // namespace yanrt::cpu
