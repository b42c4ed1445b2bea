// The simulated address spaces. Device memory is one reserved region that the host may touch only inside kernels and
// copies (a host access to a device pointer crashes, as on a GPU). Addresses are never reused, so that use after free
// is seen; pages of freed memory go back to the system.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace yanrt::cuda_sim {

inline constexpr size_t kDeviceRegion = size_t{64} << 30;
inline constexpr size_t kSharedRegion = 512 << 10;
inline constexpr size_t kInternalRegion = size_t{1} << 30;

struct Regions {
  std::byte* device;
  std::byte* shared;    // of the block that runs
  std::byte* internal;  // kernel arguments and thread records: the checks leave them alone
};
const Regions& regions();

inline size_t device_offset(const void* pointer) {
  return static_cast<size_t>(static_cast<const std::byte*>(pointer) - regions().device);
}
inline bool in_device(const void* pointer) { return device_offset(pointer) < kDeviceRegion; }
inline size_t shared_offset(const void* pointer) {
  return static_cast<size_t>(static_cast<const std::byte*>(pointer) - regions().shared);
}
inline bool in_shared(const void* pointer) { return shared_offset(pointer) < kSharedRegion; }

// 64-byte aligned memory of the internal region.
void* internal_allocate(size_t bytes);
void internal_free(void* pointer, size_t bytes);

// While one of these lives, device memory can be touched by this process.
class DeviceAccess {
 public:
  DeviceAccess();
  ~DeviceAccess();
  DeviceAccess(const DeviceAccess&) = delete;
  DeviceAccess& operator=(const DeviceAccess&) = delete;
};

// Device allocations. Fresh memory is filled with 0xff: NaN as f32, bf16, f16 and E4M3, -1 as an integer.
void* device_allocate(size_t bytes, int device);  // null when the device is full
bool device_free(void* pointer);                  // false if it is not a live allocation
size_t device_bytes_in_use(int device);
// The device an address belongs to, -1 if [offset, offset + bytes) is not inside one live allocation.
int live_device(size_t offset, size_t bytes);
// "byte 512 of an allocation of 256 bytes, freed"
std::string describe_device_offset(size_t offset);

// Pinned host memory.
void* pinned_allocate(size_t bytes);
bool pinned_free(void* pointer);
bool is_pinned(const void* pointer);

}  // namespace yanrt::cuda_sim
