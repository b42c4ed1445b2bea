// cp.async. The bytes move at the wait, the latest moment that the programming model allows; until then the target
// holds NaN and touching it is reported.
#pragma once

#include <cstdint>

namespace yanrt::cuda_sim {

void issue_async_copy(void* to, const void* from, unsigned bytes, unsigned read_bytes, uint64_t pc);
void commit_async_copies();
// Until at most `pending` groups of this thread are under way.
void wait_async_copies(unsigned pending);

}  // namespace yanrt::cuda_sim
