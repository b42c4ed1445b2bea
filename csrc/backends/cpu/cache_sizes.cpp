#include "backends/cpu/cache_sizes.h"

#if defined(__linux__)
#include <unistd.h>
#endif

namespace yanrt::cpu {
namespace {

size_t known_or(long bytes, size_t otherwise) { return bytes > 0 ? static_cast<size_t>(bytes) : otherwise; }

CacheSizes ask() {
  long level1 = 0, level2 = 0;
#if defined(_SC_LEVEL1_DCACHE_SIZE)
  level1 = sysconf(_SC_LEVEL1_DCACHE_SIZE);
  level2 = sysconf(_SC_LEVEL2_CACHE_SIZE);
#endif
  return {known_or(level1, 32 * 1024), known_or(level2, 512 * 1024)};
}

}  // namespace

const CacheSizes& cache_sizes() {
  static const CacheSizes sizes = ask();
  return sizes;
}

}  // namespace yanrt::cpu
