// Warp operations: the lanes named by a mask meet, the last one computes for all.
#pragma once

#include <cstddef>
#include <cstdint>

#include "testing/cuda_sim/thread.h"

namespace yanrt::cuda_sim {

using CollectiveFunction = void (*)(Collective& collective);

// Gives `in_bytes` of this lane to `compute`, waits for the other lanes of `mask`, and takes `out_bytes` of the result.
void meet(uint32_t mask, const char* what, SourceSite site, const void* in, size_t in_bytes, void* out,
          size_t out_bytes, CollectiveFunction compute);
void warp_sync(uint32_t mask, SourceSite site);

// What a lane gives to a shuffle: a value of up to 16 bytes, and the lane it wants.
struct ShuffleInput {
  std::byte value[16];
  int source;
};
void compute_shuffle(Collective& collective);
void compute_ballot(Collective& collective);

}  // namespace yanrt::cuda_sim
