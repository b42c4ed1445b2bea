#include "testing/cuda_sim/memory.h"

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <new>
#include <vector>

#include "testing/cuda_sim/report.h"
#include "testing/cuda_sim/shadow.h"
#include "testing/cuda_sim/state.h"

namespace yanrt::cuda_sim {
namespace {

constexpr size_t kPage = 4096;
constexpr size_t kRedZone = 256;  // at least, after every allocation

std::byte* reserve(size_t bytes, int protection) {
  void* memory = mmap(nullptr, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  return static_cast<std::byte*>(memory);
}

struct Allocation {
  size_t bytes;
  int device;
  bool live;
};
std::map<size_t, Allocation> allocations;  // by offset; freed ones stay, to name them in reports
size_t next_offset = kPage;                // page 0 stays empty: a null-like offset is never valid
std::map<int, size_t> in_use;
std::map<uintptr_t, size_t> pinned;
int access_depth = 0;

// The allocation found last: kernels mostly stay inside one.
struct {
  size_t first = 1, last = 0;
  int device = -1;
} recent;

std::map<size_t, Allocation>::iterator find_allocation(size_t offset) {
  auto it = allocations.upper_bound(offset);
  return it == allocations.begin() ? allocations.end() : std::prev(it);
}

std::mutex internal_mutex;  // arguments of a launch are made before the call of the API that takes them
size_t internal_used = 0;
std::map<size_t, std::vector<void*>> internal_pool;  // freed blocks by size

}  // namespace

const Regions& regions() {
  static const Regions made = {reserve(kDeviceRegion, PROT_NONE), reserve(kSharedRegion, PROT_READ | PROT_WRITE),
                               reserve(kInternalRegion, PROT_READ | PROT_WRITE)};
  return made;
}

void* internal_allocate(size_t bytes) {
  const std::lock_guard lock(internal_mutex);
  bytes = (bytes + 63) / 64 * 64;
  std::vector<void*>& pool = internal_pool[bytes];
  if (!pool.empty()) {
    void* pointer = pool.back();
    pool.pop_back();
    return pointer;
  }
  if (internal_used + bytes > kInternalRegion) throw std::bad_alloc();
  void* pointer = regions().internal + internal_used;
  internal_used += bytes;
  return pointer;
}

void internal_free(void* pointer, size_t bytes) {
  const std::lock_guard lock(internal_mutex);
  internal_pool[(bytes + 63) / 64 * 64].push_back(pointer);
}

DeviceAccess::DeviceAccess() {
  if (access_depth++ == 0) mprotect(regions().device, next_offset, PROT_READ | PROT_WRITE);
}
DeviceAccess::~DeviceAccess() {
  if (--access_depth == 0) mprotect(regions().device, next_offset, PROT_NONE);
}

void* device_allocate(size_t bytes, int device) {
  if (in_use[device] + bytes > options().device_bytes) return nullptr;
  const size_t offset = next_offset;
  const size_t end = (offset + bytes + kRedZone + kPage - 1) / kPage * kPage;
  if (end > kDeviceRegion) return nullptr;
  {
    const DeviceAccess access;  // widened below: new pages are still closed
    mprotect(regions().device + offset, end - offset, PROT_READ | PROT_WRITE);
    memset(regions().device + offset, 0xff, bytes);
    next_offset = end;
  }
  allocations[offset] = {bytes, device, true};
  in_use[device] += bytes;
  mutable_live().device_bytes += bytes;
  return regions().device + offset;
}

bool device_free(void* pointer) {
  const auto it = allocations.find(device_offset(pointer));
  if (it == allocations.end() || !it->second.live) return false;
  it->second.live = false;
  in_use[it->second.device] -= it->second.bytes;
  mutable_live().device_bytes -= it->second.bytes;
  recent = {};
  const size_t pages = (it->second.bytes + kPage - 1) / kPage * kPage;
  madvise(pointer, pages, MADV_DONTNEED);
  forget_device_shadow(it->first, pages);
  return true;
}

size_t device_bytes_in_use(int device) { return in_use[device]; }

int live_device(size_t offset, size_t bytes) {
  if (offset >= recent.first && offset + bytes <= recent.last) return recent.device;
  const auto it = find_allocation(offset);
  if (it == allocations.end() || !it->second.live || offset + bytes > it->first + it->second.bytes) return -1;
  recent = {it->first, it->first + it->second.bytes, it->second.device};
  return recent.device;
}

std::string describe_device_offset(size_t offset) {
  const auto it = find_allocation(offset);
  if (it == allocations.end()) return "before every allocation";
  return format("byte %zu of an allocation of %zu bytes%s", offset - it->first, it->second.bytes,
                it->second.live ? "" : ", freed");
}

void* pinned_allocate(size_t bytes) {
  void* pointer = std::aligned_alloc(kPage, (bytes + kPage - 1) / kPage * kPage);
  pinned[reinterpret_cast<uintptr_t>(pointer)] = bytes;
  mutable_live().pinned_bytes += bytes;
  return pointer;
}

bool pinned_free(void* pointer) {
  const auto it = pinned.find(reinterpret_cast<uintptr_t>(pointer));
  if (it == pinned.end()) return false;
  mutable_live().pinned_bytes -= it->second;
  pinned.erase(it);
  std::free(pointer);
  return true;
}

bool is_pinned(const void* pointer) {
  const auto address = reinterpret_cast<uintptr_t>(pointer);
  auto it = pinned.upper_bound(address);
  return it != pinned.begin() && (--it, address < it->first + it->second);
}

}  // namespace yanrt::cuda_sim
