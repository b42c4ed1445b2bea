#include <cstring>

#include "testing/cuda_sim/memory.h"
#include "testing/cuda_sim/report.h"
#include "testing/cuda_sim/runtime/device.h"
#include "testing/cuda_sim/runtime/stream.h"
#include "testing/cuda_sim/sim.h"

using namespace yanrt::cuda_sim;

namespace {

cudaError_t release(void* pointer, const char* call) {
  if (!in_device(pointer) || !device_free(pointer)) {
    report("bad-free", format("%s of %p, which is not a live allocation", call, pointer));
    return failed(cudaErrorInvalidValue);
  }
  return cudaSuccess;
}

// A free in a stream: what runs after it finds the bytes gone.
void CUDART_CB release_in_stream(void* pointer) { release(pointer, "cudaFreeAsync"); }

}  // namespace

extern "C" {

cudaError_t cudaMalloc(void** pointer, size_t bytes) {
  YANRT_SIM_LOCK;
  if (const cudaError_t error = refuse_while_capturing("cudaMalloc")) return error;
  *pointer = bytes ? device_allocate(bytes, current_device()) : nullptr;
  return *pointer || !bytes ? cudaSuccess : failed(cudaErrorMemoryAllocation);
}

cudaError_t cudaFree(void* pointer) {
  YANRT_SIM_LOCK;
  if (!pointer) return cudaSuccess;
  if (const cudaError_t error = synchronize_all("cudaFree")) return error;
  return release(pointer, "cudaFree");
}

cudaError_t cudaMallocAsync(void** pointer, size_t bytes, cudaStream_t stream) {
  YANRT_SIM_LOCK;
  stream = resolve(stream);
  if (stream->capture) return failed(cudaErrorNotSupported);  // allocation nodes are not simulated
  *pointer = device_allocate(bytes, stream->device);
  return *pointer ? cudaSuccess : failed(cudaErrorMemoryAllocation);
}

cudaError_t cudaFreeAsync(void* pointer, cudaStream_t stream) {
  if (resolve(stream)->capture) return failed(cudaErrorNotSupported);
  return pointer ? cudaLaunchHostFunc(stream, release_in_stream, pointer) : cudaSuccess;
}

cudaError_t cudaMallocHost(void** pointer, size_t bytes) {
  YANRT_SIM_LOCK;
  if (const cudaError_t error = refuse_while_capturing("cudaMallocHost")) return error;
  *pointer = pinned_allocate(bytes);
  return cudaSuccess;
}
cudaError_t cudaHostAlloc(void** pointer, size_t bytes, unsigned) { return cudaMallocHost(pointer, bytes); }

cudaError_t cudaFreeHost(void* pointer) {
  YANRT_SIM_LOCK;
  if (!pointer) return cudaSuccess;
  if (const cudaError_t error = synchronize_all("cudaFreeHost")) return error;
  if (!pinned_free(pointer)) {
    report("bad-free", format("cudaFreeHost of %p, which is not pinned memory", pointer));
    return failed(cudaErrorInvalidValue);
  }
  return cudaSuccess;
}

cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  YANRT_SIM_LOCK;
  *total = options().device_bytes;
  *free = *total - device_bytes_in_use(current_device());
  return cudaSuccess;
}

cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* pointer) {
  YANRT_SIM_LOCK;
  std::memset(attributes, 0, sizeof *attributes);
  const int device = in_device(pointer) ? live_device(device_offset(pointer), 1) : -1;
  attributes->type = device >= 0          ? cudaMemoryTypeDevice
                     : is_pinned(pointer) ? cudaMemoryTypeHost
                                          : cudaMemoryTypeUnregistered;
  attributes->device = device >= 0 ? device : current_device();
  attributes->devicePointer = device >= 0 ? const_cast<void*>(pointer) : nullptr;
  attributes->hostPointer = is_pinned(pointer) ? const_cast<void*>(pointer) : nullptr;
  return cudaSuccess;
}

}  // extern "C"
