#pragma once

#include <cuda_runtime_api.h>

namespace yanrt::cuda {

// Throws Error unless `status` is success: it names the call, the device and the remedy. ErrorKind::memory if the
// device is full, unsupported if there is none that can serve, else device. `call` is the name of the function.
void check(cudaError_t status, const char* call);

}  // namespace yanrt::cuda
