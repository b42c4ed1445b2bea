// Runs the blocks of a kernel launch.
#pragma once

#include <vector_types.h>

#include <cstddef>

namespace yanrt::cuda_sim {

// A launch with its arguments bound. `invoke` calls the kernel for one thread.
struct KernelCall {
  const void* function;
  void (*invoke)(const void* function, void* arguments);
  void* arguments;
};

// False if the kernel was given up (deadlock, access to no memory): the device is lost, as on hardware.
bool run_kernel(const KernelCall& call, dim3 grid, dim3 block, size_t dynamic_shared);

}  // namespace yanrt::cuda_sim
