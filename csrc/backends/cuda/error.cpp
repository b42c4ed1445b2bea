#include "backends/cuda/error.h"

#include <string>

#include "core/error.h"

namespace yanrt::cuda {
namespace {

std::string device_name() {
  int device = 0;
  cudaDeviceProp properties{};
  if (cudaGetDevice(&device) != cudaSuccess || cudaGetDeviceProperties(&properties, device) != cudaSuccess)
    return "no device";
  return "device " + std::to_string(device) + " (" + properties.name + ")";
}

struct Advice {
  ErrorKind kind;
  const char* remedy;
};

Advice advice_for(cudaError_t status) {
  switch (status) {
    case cudaErrorMemoryAllocation:
      return {ErrorKind::memory,
              "close other programs on the GPU, use a smaller batch or resolution, or precision fp8"};
    case cudaErrorNoDevice:
      return {ErrorKind::unsupported, "no NVIDIA GPU is visible; check CUDA_VISIBLE_DEVICES, or use device='cpu'"};
    case cudaErrorInsufficientDriver:
      return {ErrorKind::unsupported,
              "the NVIDIA driver is missing or older than CUDA 13 (580); install a newer one, "
              "or use device='cpu'"};
    case cudaErrorInvalidDevice:
      return {ErrorKind::argument, "choose one of the devices that yanrt.cuda.devices() lists"};
    case cudaErrorNoKernelImageForDevice:
      return {ErrorKind::unsupported, "this GPU needs compute capability 8.0 or newer; use device='cpu'"};
    default:
      return {ErrorKind::device,
              "the session cannot go on; close it and make a new one. If it happens again, run "
              "`make gpu-check` and report its output"};
  }
}

}  // namespace

void check(cudaError_t status, const char* call) {
  if (status == cudaSuccess) return;
  cudaGetLastError();  // errors that do not stick are forgotten: the next call starts clean
  const Advice advice = advice_for(status);
  throw Error(advice.kind, std::string(call) + " failed on " + device_name() + ": " + cudaGetErrorString(status) +
                               " (" + std::to_string(static_cast<int>(status)) + "); " + advice.remedy);
}

}  // namespace yanrt::cuda
