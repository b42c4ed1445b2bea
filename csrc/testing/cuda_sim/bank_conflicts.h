// Bank conflicts of plain shared-memory accesses: the n-th execution of one instruction by the lanes of a warp is one
// request.
#pragma once

#include <cstddef>
#include <cstdint>

#include "testing/cuda_sim/thread.h"

namespace yanrt::cuda_sim {

void count_bank_access(const Thread& thread, size_t offset, size_t bytes, uint64_t pc);
// The block is done: requests that not every lane joined count as they are.
void finish_bank_requests();

}  // namespace yanrt::cuda_sim
