// Happens-before between operations (kernels, copies, memsets). Every operation is (timeline, sequence number) with a
// vector clock over the timelines (Lamport, 1978; Fidge, Mattern, 1988): a stream is a timeline, and so is each later
// branch that events make. Inside a graph the edges order the nodes of one launch.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace yanrt::cuda_sim {

using Clock = std::vector<uint64_t>;               // by timeline: the newest operation known to be finished
using Ancestors = std::vector<std::vector<bool>>;  // [i][j]: node j of a graph precedes node i

// `clock` takes over what `other` knows.
void join_clock(Clock& clock, const Clock& other);

struct Operation {
  uint32_t timeline = 0;
  uint64_t sequence = 0;
  std::shared_ptr<const Clock> before;         // what is finished when this begins
  int node = 0;                                // inside a graph launch
  std::shared_ptr<const Ancestors> ancestors;  // null outside graphs
};

// The next blocks (of kernels and copies) belong to `operation`.
void begin_operation(const Operation& operation);
// Counts a block of the current operation; its number stamps the accesses.
uint32_t next_block();
uint32_t current_block();
uint32_t first_block_of_operation();
// Whether the operation that `block` belonged to is known to be finished before the current one began.
bool finished_before(uint32_t block);

}  // namespace yanrt::cuda_sim
