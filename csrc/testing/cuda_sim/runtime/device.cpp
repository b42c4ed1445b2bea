#include "testing/cuda_sim/runtime/device.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <set>
#include <thread>
#include <unordered_map>
#include <utility>

#include "testing/cuda_sim/memory.h"
#include "testing/cuda_sim/runtime/stream.h"
#include "testing/cuda_sim/state.h"

namespace yanrt::cuda_sim {
namespace {

constexpr size_t kDefaultShared = 48 << 10;

std::recursive_mutex& api_mutex() {
  static std::recursive_mutex mutex;
  return mutex;
}

thread_local int call_depth = 0;
thread_local int selected_device = 0;
thread_local cudaError_t last_error = cudaSuccess;
int executing_device = 0;
std::set<std::pair<int, int>> peers;  // (device, peer that it may access)
std::unordered_map<const void*, size_t> shared_by_function;

}  // namespace

ApiCall::ApiCall(const char* name) : lock_(api_mutex()) {
  if (call_depth++ == 0) ++mutable_stats().api_calls[name];  // not those that the simulator makes itself
}
ApiCall::~ApiCall() {
  if (--call_depth > 0) return;
  const bool capturing = std::any_of(streams().begin(), streams().end(), [](cudaStream_t s) { return s->capture; });
  lock_.unlock();
  if (capturing) std::this_thread::yield();
}

cudaError_t failed(cudaError_t error) {
  if (error != cudaSuccess) last_error = error;
  return error;
}

int current_device() { return selected_device; }
void set_executing_device(int device) { executing_device = device; }
bool may_access(int device) { return device == executing_device || peers.contains({executing_device, device}); }

size_t shared_limit() {
  switch (options().arch) {
    case 80: return 163 << 10;
    case 90:
    case 100: return 227 << 10;
    default: return 99 << 10;  // sm_86, 89, 120
  }
}

size_t allowed_shared_bytes(const void* function) {
  const auto it = shared_by_function.find(function);
  return it == shared_by_function.end() ? kDefaultShared : it->second;
}

}  // namespace yanrt::cuda_sim

using namespace yanrt::cuda_sim;

extern "C" {

cudaError_t cudaGetLastError() { return std::exchange(last_error, cudaSuccess); }
cudaError_t cudaPeekAtLastError() { return last_error; }
const char* cudaGetErrorName(cudaError_t error) {
  switch (error) {
    case cudaSuccess: return "cudaSuccess";
    case cudaErrorInvalidValue: return "cudaErrorInvalidValue";
    case cudaErrorMemoryAllocation: return "cudaErrorMemoryAllocation";
    case cudaErrorInvalidConfiguration: return "cudaErrorInvalidConfiguration";
    case cudaErrorInvalidDevice: return "cudaErrorInvalidDevice";
    case cudaErrorLaunchFailure: return "cudaErrorLaunchFailure";
    case cudaErrorNotReady: return "cudaErrorNotReady";
    case cudaErrorStreamCaptureUnsupported: return "cudaErrorStreamCaptureUnsupported";
    case cudaErrorStreamCaptureInvalidated: return "cudaErrorStreamCaptureInvalidated";
    case cudaErrorStreamCaptureUnjoined: return "cudaErrorStreamCaptureUnjoined";
    case cudaErrorStreamCaptureIsolation: return "cudaErrorStreamCaptureIsolation";
    default: return "cudaError";
  }
}
const char* cudaGetErrorString(cudaError_t error) {
  static thread_local char text[64];
  std::snprintf(text, sizeof text, "simulated %s (%d)", cudaGetErrorName(error), static_cast<int>(error));
  return text;
}

cudaError_t cudaGetDeviceCount(int* count) {
  *count = options().devices;
  return cudaSuccess;
}
cudaError_t cudaGetDevice(int* device) {
  *device = selected_device;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int device) {
  if (device < 0 || device >= options().devices) return failed(cudaErrorInvalidDevice);
  selected_device = device;
  return cudaSuccess;
}
cudaError_t cudaDriverGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}
cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  if (device < 0 || device >= options().devices) return failed(cudaErrorInvalidDevice);
  std::memset(properties, 0, sizeof *properties);
  std::snprintf(properties->name, sizeof properties->name, "simulated sm_%d", options().arch);
  properties->major = options().arch / 10;
  properties->minor = options().arch % 10;
  properties->totalGlobalMem = options().device_bytes;
  properties->sharedMemPerBlock = kDefaultShared;
  properties->sharedMemPerBlockOptin = shared_limit();
  properties->multiProcessorCount = 4;
  properties->warpSize = 32;
  properties->maxThreadsPerBlock = 1024;
  return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
  if (device < 0 || device >= options().devices) return failed(cudaErrorInvalidDevice);
  switch (attribute) {
    case cudaDevAttrComputeCapabilityMajor: *value = options().arch / 10; break;
    case cudaDevAttrComputeCapabilityMinor: *value = options().arch % 10; break;
    case cudaDevAttrMultiProcessorCount: *value = 4; break;
    case cudaDevAttrMaxSharedMemoryPerBlock: *value = kDefaultShared; break;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin: *value = static_cast<int>(shared_limit()); break;
    case cudaDevAttrWarpSize: *value = 32; break;
    case cudaDevAttrMaxThreadsPerBlock: *value = 1024; break;
    case cudaDevAttrMemoryPoolsSupported: *value = 1; break;
    default: return failed(cudaErrorInvalidValue);
  }
  return cudaSuccess;
}

cudaError_t cudaFuncSetAttribute(const void* function, cudaFuncAttribute attribute, int value) {
  YANRT_SIM_LOCK;
  if (attribute != cudaFuncAttributeMaxDynamicSharedMemorySize) return cudaSuccess;
  if (value < 0 || static_cast<size_t>(value) > shared_limit()) return failed(cudaErrorInvalidValue);
  shared_by_function[function] = static_cast<size_t>(value);
  return cudaSuccess;
}

cudaError_t cudaDeviceCanAccessPeer(int* can, int device, int peer) {
  *can = device != peer;
  return cudaSuccess;
}
cudaError_t cudaDeviceEnablePeerAccess(int peer, unsigned) {
  YANRT_SIM_LOCK;
  if (peer < 0 || peer >= options().devices || peer == selected_device) return failed(cudaErrorInvalidDevice);
  if (!peers.insert({selected_device, peer}).second) return failed(cudaErrorPeerAccessAlreadyEnabled);
  return cudaSuccess;
}

cudaError_t cudaDeviceSynchronize() {
  YANRT_SIM_LOCK;
  return synchronize_all("cudaDeviceSynchronize");
}

}  // extern "C"
