#include "backends/cpu/kernel.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "core/error.h"
#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace yanrt::cpu {
namespace {

constexpr std::align_val_t kAlignment{64};

#if defined(__linux__)
constexpr size_t kHugePage = size_t{2} << 20;

// Zeroed, and resident only where it was touched; in huge pages where the system allows them: a walk through weights
// then misses the TLB 512 times less often. Null if there is no memory.
std::byte* map_pages(size_t bytes) {
  const size_t room = bytes + kHugePage;
  void* mapped = mmap(nullptr, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  auto* start = static_cast<std::byte*>(mapped);
  const size_t skipped = (kHugePage - reinterpret_cast<uintptr_t>(start) % kHugePage) % kHugePage;
  if (skipped) munmap(start, skipped);
  munmap(start + skipped + bytes, room - skipped - bytes);
  madvise(start + skipped, bytes, MADV_HUGEPAGE);  // a hint
  return start + skipped;
}
bool is_mapped(size_t bytes) { return bytes >= kHugePage; }
size_t whole_pages(size_t bytes) { return (bytes + kHugePage - 1) / kHugePage * kHugePage; }
#endif

}  // namespace

Buffer::Buffer(size_t bytes) : data_(nullptr), size_(bytes) {
#if defined(__linux__)
  if (is_mapped(bytes)) {
    data_ = map_pages(whole_pages(bytes));
  } else
#endif
  {
    data_ = static_cast<std::byte*>(::operator new(std::max<size_t>(bytes, 1), kAlignment, std::nothrow));
    if (data_) std::memset(data_, 0, bytes);
  }
  if (!data_) throw Error(ErrorKind::memory, "cannot allocate " + std::to_string(bytes) + " bytes");
}

Buffer::~Buffer() {
#if defined(__linux__)
  if (is_mapped(size_)) {
    munmap(data_, whole_pages(size_));
    return;
  }
#endif
  ::operator delete(data_, kAlignment);
}

Range share(int64_t n, int64_t grain, int worker, int workers) {
  const int64_t grains = (n + grain - 1) / grain;
  const auto bound = [&](int w) { return std::min(n, grains * w / workers * grain); };
  return {bound(worker), bound(worker + 1)};
}

}  // namespace yanrt::cpu
