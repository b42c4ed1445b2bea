// Sizes of one core's caches, from which the GEMM's blocks follow.
#pragma once

#include <cstddef>

namespace yanrt::cpu {

struct CacheSizes {
  size_t level1;  // data, bytes
  size_t level2;
};

// What the operating system says, or 32 KiB and 512 KiB where it does not.
const CacheSizes& cache_sizes();

}  // namespace yanrt::cpu
