#include "testing/cuda_sim/scheduler.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>

#include "testing/cuda_sim/bank_conflicts.h"
#include "testing/cuda_sim/memory.h"
#include "testing/cuda_sim/order.h"
#include "testing/cuda_sim/random.h"
#include "testing/cuda_sim/report.h"
#include "testing/cuda_sim/shared_arrays.h"
#include "testing/cuda_sim/sim.h"
#include "testing/cuda_sim/state.h"
#include "testing/cuda_sim/thread.h"

namespace yanrt::cuda_sim {
namespace {

const KernelCall* call = nullptr;
Block block;
// The simulated thread that this thread of the host runs: others may be in the host code of a .cu file meanwhile. Of
// the model whose address stands in a register of the processor, since fibers go from one thread of the host to
// another.
[[gnu::tls_model("initial-exec")]] thread_local Thread* running = nullptr;
bool given_up = false;
std::vector<Thread*> threads;  // grows to the largest block seen
std::vector<Warp> warps;

// Ready threads. FIFO and LIFO take an end, random takes any.
class ReadyList {
 public:
  void clear() { items_.clear(), head_ = 0; }
  bool empty() const { return head_ == items_.size(); }
  void push(Thread* thread) { items_.push_back(thread); }
  Thread* take() {
    if (options().order == Order::fifo) {
      Thread* thread = items_[head_++];
      if (head_ == items_.size()) clear();
      return thread;
    }
    if (options().order == Order::random) {
      const size_t pick = head_ + random_source().below(items_.size() - head_);
      std::swap(items_[pick], items_.back());
    }
    Thread* thread = items_.back();
    items_.pop_back();
    return thread;
  }

 private:
  std::vector<Thread*> items_;
  size_t head_ = 0;
} ready;

// Body of every fiber: one kernel after another, so that a fiber is started once and not for each block.
void thread_main() {
  for (;;) {
    call->invoke(call->function, call->arguments);
    Thread& thread = *running;
    thread.state = ThreadState::done;
    thread.abandoned = false;
    --block.alive;
    warps[thread.warp].live &= ~(1u << thread.lane);
    yield_thread();
  }
}

void make_threads(unsigned count) {
  while (threads.size() < count) {
    Thread* thread = new (internal_allocate(sizeof(Thread))) Thread();
    thread->linear = static_cast<uint16_t>(threads.size());
    thread->lane = thread->linear % 32;
    thread->warp = thread->linear / 32;
    threads.push_back(thread);
  }
}

void report_barrier_faults() {
  const Thread* first = nullptr;
  for (unsigned i = 0; i < block.threads; ++i) {
    const Thread& thread = *threads[i];
    if (thread.state != ThreadState::in_barrier) continue;
    if (!first) {
      first = &thread;
    } else if (thread.site.line != first->site.line || std::strcmp(thread.site.file, first->site.file) != 0) {
      report("barrier-divergence",
             format("threads of one block meet at different __syncthreads: thread %u at %s:%d, thread %u at %s:%d",
                    first->linear, base_name(first->site.file).c_str(), first->site.line, thread.linear,
                    base_name(thread.site.file).c_str(), thread.site.line),
             format("%d/%d", first->site.line, thread.site.line));
    }
  }
  if (first && block.alive < block.threads)
    report("barrier-after-exit",
           format("__syncthreads at %s:%d while %u of %u threads have returned", base_name(first->site.file).c_str(),
                  first->site.line, block.threads - block.alive, block.threads),
           format("%d", first->site.line));
}

void release_barrier() {
  report_barrier_faults();
  for (unsigned i = 0; i < block.threads; ++i) {
    Thread& thread = *threads[i];
    ++thread.barrier_epoch;
    thread.warp_epoch = 0;
    if (thread.state == ThreadState::in_barrier) wake(thread);
  }
  block.in_barrier = 0;
  ++mutable_stats().barriers;
}

void report_deadlock() {
  std::string waiting;
  int shown = 0;
  SourceSite last;
  for (unsigned i = 0; i < block.threads && shown < 6; ++i) {
    const Thread& thread = *threads[i];
    if (thread.state == ThreadState::done || thread.site.line == last.line) continue;
    waiting += format(" [thread %u in %s at %s:%d]", i, thread.waits_in, base_name(thread.site.file).c_str(),
                      thread.site.line);
    last = thread.site;
    ++shown;
  }
  report("deadlock",
         format("block (%u,%u,%u): no thread can run:%s", block.index.x, block.index.y, block.index.z, waiting.c_str()),
         waiting);
}

void start_block() {
  next_block();
  reset_shared_arrays(block.dynamic_shared);
  warps.assign((block.threads + 31) / 32, {});
  ready.clear();
  block.alive = block.threads;
  block.in_barrier = 0;
  for (unsigned i = 0; i < block.threads; ++i) {
    Thread& thread = *threads[i];
    thread.index = {i % block.size.x, i / block.size.x % block.size.y, i / (block.size.x * block.size.y)};
    thread.barrier_epoch = thread.warp_epoch = 0;
    thread.open_copies.clear();
    thread.copy_groups.clear();
    warps[thread.warp].live |= 1u << thread.lane;
    if (thread.abandoned) thread.fiber.start(thread_main);
    thread.abandoned = true;  // until it returns
    wake(thread);
  }
}

void run_block() {
  start_block();
  while (block.alive && !given_up) {
    if (ready.empty()) {
      if (block.in_barrier == block.alive) {
        release_barrier();
        continue;
      }
      report_deadlock();
      given_up = true;
      break;
    }
    running = ready.take();
    running->fiber.resume();
    running = nullptr;
  }
  Stats& counts = mutable_stats();
  finish_bank_requests();
  ++counts.blocks;
  counts.threads += block.threads;
}

std::vector<uint32_t> block_order(uint64_t count) {
  std::vector<uint32_t> order(count);
  for (uint64_t i = 0; i < count; ++i) order[i] = static_cast<uint32_t>(i);
  if (options().order == Order::lifo) std::reverse(order.begin(), order.end());
  if (options().order == Order::random)
    for (uint64_t i = count; i > 1; --i) std::swap(order[i - 1], order[random_source().below(i)]);
  return order;
}

}  // namespace

Thread* current_thread() { return running; }
Thread& thread_of_block(unsigned linear) { return *threads[linear]; }
Warp& warp_of(const Thread& thread) { return warps[thread.warp]; }
const Block& current_block_state() { return block; }

void wake(Thread& thread) {
  thread.state = ThreadState::ready;
  ready.push(&thread);
}

void yield_thread() {
  ++mutable_stats().switches;
  running->fiber.suspend();
}

void preempt_thread() {
  wake(*running);
  yield_thread();
}

void abandon_kernel() {
  given_up = true;
  running->fiber.suspend();
  __builtin_unreachable();
}

void wait_at_barrier(SourceSite site) {
  running->state = ThreadState::in_barrier;
  running->waits_in = "__syncthreads";
  running->site = site;
  ++block.in_barrier;
  yield_thread();
}

bool run_kernel(const KernelCall& kernel, dim3 grid, dim3 size, size_t dynamic_shared) {
  const DeviceAccess access;
  call = &kernel;
  given_up = false;
  block.size = size;
  block.grid = grid;
  block.threads = size.x * size.y * size.z;
  block.dynamic_shared = dynamic_shared;
  make_threads(block.threads);
  ++mutable_stats().launches;
  for (uint32_t b : block_order(uint64_t{grid.x} * grid.y * grid.z)) {
    block.index = {b % grid.x, b / grid.x % grid.y, b / (grid.x * grid.y)};
    run_block();
    if (given_up) return false;
  }
  return true;
}

}  // namespace yanrt::cuda_sim
