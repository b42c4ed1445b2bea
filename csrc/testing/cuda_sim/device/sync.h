// Barriers, shuffles and votes.
#pragma once

#include <cstdint>
#include <cstring>

#include "testing/cuda_sim/device/keywords.h"

namespace yanrt::cuda_sim {

void barrier(const char* file, int line);
void barrier_of_warp(uint32_t mask, const char* file, int line);
unsigned lane_index() noexcept;
void shuffle(uint32_t mask, const void* value, size_t bytes, int source, void* result, const char* file, int line);
uint32_t ballot(uint32_t mask, int predicate, const char* file, int line);

template <class T>
T shuffle_value(uint32_t mask, T value, int source, const char* file, int line) {
  static_assert(sizeof(T) <= 16);
  T result;
  shuffle(mask, &value, sizeof(T), source, &result, file, line);
  return result;
}

}  // namespace yanrt::cuda_sim

// The line of the caller, without a macro at the call.
#define YANRT_SIM_SITE const char *file = __builtin_FILE(), int line = __builtin_LINE()

inline void __syncthreads(YANRT_SIM_SITE) { yanrt::cuda_sim::barrier(file, line); }
inline void __syncwarp(uint32_t mask = 0xffffffffu, YANRT_SIM_SITE) {
  yanrt::cuda_sim::barrier_of_warp(mask, file, line);
}
template <class T>
T __shfl_sync(uint32_t mask, T value, int source, int width = 32, YANRT_SIM_SITE) {
  const int lane = static_cast<int>(yanrt::cuda_sim::lane_index());
  return yanrt::cuda_sim::shuffle_value(mask, value, (lane & ~(width - 1)) | (source & (width - 1)), file, line);
}
template <class T>
T __shfl_xor_sync(uint32_t mask, T value, int bits, int width = 32, YANRT_SIM_SITE) {
  const int lane = static_cast<int>(yanrt::cuda_sim::lane_index()), other = lane ^ bits;
  const bool leaves = (other & ~(width - 1)) > (lane & ~(width - 1));
  return yanrt::cuda_sim::shuffle_value(mask, value, leaves ? lane : other, file, line);
}
template <class T>
T __shfl_down_sync(uint32_t mask, T value, int delta, int width = 32, YANRT_SIM_SITE) {
  const int lane = static_cast<int>(yanrt::cuda_sim::lane_index());
  const bool inside = (lane & (width - 1)) + delta < width;
  return yanrt::cuda_sim::shuffle_value(mask, value, inside ? lane + delta : lane, file, line);
}
template <class T>
T __shfl_up_sync(uint32_t mask, T value, int delta, int width = 32, YANRT_SIM_SITE) {
  const int lane = static_cast<int>(yanrt::cuda_sim::lane_index());
  const bool inside = (lane & (width - 1)) - delta >= 0;
  return yanrt::cuda_sim::shuffle_value(mask, value, inside ? lane - delta : lane, file, line);
}
inline uint32_t __ballot_sync(uint32_t mask, int predicate, YANRT_SIM_SITE) {
  return yanrt::cuda_sim::ballot(mask, predicate, file, line);
}
inline int __any_sync(uint32_t mask, int predicate, YANRT_SIM_SITE) {
  return yanrt::cuda_sim::ballot(mask, predicate, file, line) != 0;
}
inline int __all_sync(uint32_t mask, int predicate, YANRT_SIM_SITE) {
  return yanrt::cuda_sim::ballot(mask, !predicate, file, line) == 0;
}
inline void __threadfence() {}
inline void __threadfence_block() {}
