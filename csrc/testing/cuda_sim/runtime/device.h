// The simulated devices and the errors of API calls.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <mutex>

namespace yanrt::cuda_sim {

// Held through every API call, and counted; a kernel runs inside the call that waits for it. Between the calls of a
// capture other threads of the host get their turn, so that they do what they might do to it.
class ApiCall {
 public:
  explicit ApiCall(const char* name);
  ~ApiCall();
  ApiCall(const ApiCall&) = delete;
  ApiCall& operator=(const ApiCall&) = delete;

 private:
  std::unique_lock<std::recursive_mutex> lock_;
};
#define YANRT_SIM_LOCK const ::yanrt::cuda_sim::ApiCall api_call(__func__)

// Remembers an error for cudaGetLastError and returns it.
cudaError_t failed(cudaError_t error);

int current_device();
// Device of the kernel or copy that runs now.
void set_executing_device(int device);
// Whether the running kernel may touch memory of `device`.
bool may_access(int device);
// Dynamic shared memory a block may have after opting in.
size_t shared_limit();
// What allow_shared_bytes asked for, or the default of 48 KB.
size_t allowed_shared_bytes(const void* function);

}  // namespace yanrt::cuda_sim
