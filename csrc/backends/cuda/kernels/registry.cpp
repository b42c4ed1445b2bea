// The kernels of the CUDA backend: one line an op, in the order of core/ops.def.
#include <string_view>

#include "backends/cuda/kernel.h"

namespace yanrt::cuda {

// Each is defined in kernels/<op>.cpp or in the folder of its family.
std::unique_ptr<Kernel> make_copy(const KernelSpec& spec);
std::unique_ptr<Kernel> make_concat(const KernelSpec& spec);
std::unique_ptr<Kernel> make_pad(const KernelSpec& spec);
std::unique_ptr<Kernel> make_gather(const KernelSpec& spec);
std::unique_ptr<Kernel> make_pointwise(const KernelSpec& spec);
std::unique_ptr<Kernel> make_randn(const KernelSpec& spec);
std::unique_ptr<Kernel> make_reduce(const KernelSpec& spec);
std::unique_ptr<Kernel> make_softmax(const KernelSpec& spec);
std::unique_ptr<Kernel> make_layer_norm(const KernelSpec& spec);
std::unique_ptr<Kernel> make_rms_norm(const KernelSpec& spec);
std::unique_ptr<Kernel> make_group_norm(const KernelSpec& spec);
std::unique_ptr<Kernel> make_linear(const KernelSpec& spec);
std::unique_ptr<Kernel> make_matmul(const KernelSpec& spec);
std::unique_ptr<Kernel> make_conv2d(const KernelSpec& spec);
std::unique_ptr<Kernel> make_attention(const KernelSpec& spec);
std::unique_ptr<Kernel> make_ring_attention(const KernelSpec& spec);

namespace {

struct Entry {
  std::string_view op;
  KernelFactory make;
};

constexpr Entry kKernels[] = {
    {"copy", make_copy},
    {"concat", make_concat},
    {"pad", make_pad},
    {"gather", make_gather},
    {"pointwise", make_pointwise},
    {"randn", make_randn},
    {"reduce", make_reduce},
    {"softmax", make_softmax},
    {"layer_norm", make_layer_norm},
    {"rms_norm", make_rms_norm},
    {"group_norm", make_group_norm},
    {"linear", make_linear},
    {"matmul", make_matmul},
    {"conv2d", make_conv2d},
    {"attention", make_attention},
    {"ring_attention", make_ring_attention},
};

}  // namespace

KernelFactory find_kernel(std::string_view op) {
  for (const Entry& entry : kKernels)
    if (entry.op == op) return entry.make;
  return nullptr;
}

}  // namespace yanrt::cuda
