#include "backends/cuda/device_info.h"

#include <cuda_runtime_api.h>

#include "backends/cuda/error.h"
#include "core/error.h"

namespace yanrt::cuda {

constexpr int kOldest = 80;

DeviceInfo query_device(int ordinal) {
  int count = 0;
  check(cudaGetDeviceCount(&count), "cudaGetDeviceCount");
  if (ordinal < 0 || ordinal >= count)
    throw Error(ErrorKind::unsupported, "there is no CUDA device " + std::to_string(ordinal) + "; this machine has " +
                                            std::to_string(count) + ", counted from 0");
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, ordinal), "cudaGetDeviceProperties");
  DeviceInfo info{.ordinal = ordinal,
                  .name = properties.name,
                  .sm = properties.major * 10 + properties.minor,
                  .multiprocessors = properties.multiProcessorCount};
  if (info.sm < kOldest)
    throw Error(ErrorKind::unsupported, "device " + std::to_string(ordinal) + " (" + info.name +
                                            ") has compute capability " + std::to_string(properties.major) + "." +
                                            std::to_string(properties.minor) +
                                            "; yanrt needs 8.0 or newer: use another device, or device='cpu'");
  return info;
}

DeviceScope::DeviceScope(int ordinal) {
  int current = 0;
  check(cudaGetDevice(&current), "cudaGetDevice");
  if (current == ordinal) return;
  check(cudaSetDevice(ordinal), "cudaSetDevice");
  previous_ = current;
}

DeviceScope::~DeviceScope() {
  if (previous_ >= 0) cudaSetDevice(previous_);
}

}  // namespace yanrt::cuda
