// A CUDA thread, its warp and its block, as the simulator runs them.
#pragma once

#include <vector_types.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "testing/cuda_sim/fiber.h"

namespace yanrt::cuda_sim {

// Where in the source something was called.
struct SourceSite {
  const char* file = "";
  int line = 0;
};

// A copy of cp.async that has been issued and not waited for.
struct AsyncCopy {
  std::byte* to;
  const std::byte* from;
  unsigned bytes;       // of `to`
  unsigned read_bytes;  // of `from`; the rest of `to` becomes zero
  uint64_t pc;
};

inline constexpr size_t kLaneBytes = 64;  // what a lane gives to or gets from a warp operation, at most

enum class ThreadState : uint8_t { ready, in_barrier, in_collective, done };

struct Thread {
  uint3 index{};
  uint16_t linear = 0, lane = 0, warp = 0;
  uint16_t barrier_epoch = 0, warp_epoch = 0;
  ThreadState state = ThreadState::done;
  bool abandoned = true;  // its stack holds an unfinished kernel: start afresh
  const char* waits_in = "";
  SourceSite site;
  alignas(16) std::byte result[kLaneBytes];
  std::vector<AsyncCopy> open_copies;
  std::deque<std::vector<AsyncCopy>> copy_groups;
  Fiber fiber;
};

// A warp operation that waits for its lanes.
struct Collective {
  uint32_t mask = 0, arrived = 0;
  const char* what = "";
  SourceSite site;
  alignas(16) std::byte in[32][kLaneBytes];
  alignas(16) std::byte out[32][kLaneBytes];
};

struct Warp {
  uint32_t live = 0;  // lanes that have not returned
  std::vector<Collective*> open;
};

struct Block {
  uint3 index{};
  dim3 size{}, grid{};
  unsigned threads = 0, alive = 0, in_barrier = 0;
  size_t dynamic_shared = 0;
};

// The thread that runs, or null on the host.
Thread* current_thread();
Thread& thread_of_block(unsigned linear);
Warp& warp_of(const Thread& thread);
const Block& current_block_state();

// Called on a thread's fiber: lets others run. It must be ready, or be woken by someone.
void yield_thread();
// Called on a thread's fiber: lets others run first and comes back.
void preempt_thread();
void wake(Thread& thread);
// Called on a thread's fiber: gives up the whole kernel, because the next access would bring the process down.
[[noreturn]] void abandon_kernel();

void wait_at_barrier(SourceSite site);

}  // namespace yanrt::cuda_sim
