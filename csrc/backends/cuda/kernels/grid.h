// Sizes of launches.
#pragma once

#include <cstdint>

namespace yanrt::cuda {

inline constexpr int kBlockThreads = 256;

// Blocks of `each` that cover `n`; at least one.
constexpr uint32_t blocks_for(int64_t n, int64_t each = kBlockThreads) {
  return static_cast<uint32_t>(n <= each ? 1 : (n + each - 1) / each);
}

}  // namespace yanrt::cuda
