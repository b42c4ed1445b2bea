#include "backends/cpu/pages.h"

#include <algorithm>
#include <cstring>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>

#include "backends/cpu/kernels/rounding.h"
#endif

namespace yanrt::cpu {
namespace {

constexpr std::align_val_t kAlignment{64};

std::byte* take_from_heap(size_t bytes) noexcept {
  auto* data = static_cast<std::byte*>(::operator new(std::max<size_t>(bytes, 1), kAlignment, std::nothrow));
  if (data) std::memset(data, 0, bytes);
  return data;
}

}  // namespace

#if defined(__linux__)

namespace {

constexpr size_t kHugePage = size_t{2} << 20;

size_t whole_pages(size_t bytes) {
  return static_cast<size_t>(round_up(static_cast<int64_t>(bytes), static_cast<int64_t>(kHugePage)));
}

// In huge pages where the system allows them: a walk through weights then misses the TLB 512 times less often.
std::byte* map_pages(size_t bytes) noexcept {
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

}  // namespace

std::byte* take_memory(size_t bytes) noexcept {
  return bytes >= kHugePage ? map_pages(whole_pages(bytes)) : take_from_heap(bytes);
}
void give_back(std::byte* data, size_t bytes) noexcept {
  if (bytes >= kHugePage)
    munmap(data, whole_pages(bytes));
  else
    ::operator delete(data, kAlignment);
}

#else

std::byte* take_memory(size_t bytes) noexcept { return take_from_heap(bytes); }
void give_back(std::byte* data, size_t) noexcept { ::operator delete(data, kAlignment); }

#endif

}  // namespace yanrt::cpu
