// Counts heap allocations: preloaded (LD_PRELOAD) into a test process, it stands in front of libc's malloc family. With
// glibc operator new calls malloc, so nothing escapes. Test builds only.
#include <atomic>
#include <cstddef>

extern "C" {

void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);

static std::atomic<long> count{0};

__attribute__((visibility("default"))) long yanrt_allocation_count() { return count.load(); }

__attribute__((visibility("default"))) void* malloc(size_t size) {
  ++count;
  return __libc_malloc(size);
}
__attribute__((visibility("default"))) void* calloc(size_t n, size_t size) {
  ++count;
  return __libc_calloc(n, size);
}
__attribute__((visibility("default"))) void* realloc(void* pointer, size_t size) {
  ++count;
  return __libc_realloc(pointer, size);
}
__attribute__((visibility("default"))) void* aligned_alloc(size_t alignment, size_t size) {
  ++count;
  return __libc_memalign(alignment, size);
}
__attribute__((visibility("default"))) int posix_memalign(void** out, size_t alignment, size_t size) {
  ++count;
  *out = __libc_memalign(alignment, size);
  return *out ? 0 : 12;
}
}
