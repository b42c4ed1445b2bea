// A persistent pool of threads for the CPU backend. One `run` is one wake-up (a frame); within it the workers meet at
// the barrier between kernels. Waiting spins, since the wait between kernels is short, and makes way for a worker that
// the operating system has put on the same processor, or moves off it (places.h); then it sleeps: a worker that is kept
// from its processor delays the others, and does not make them burn theirs.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "backends/cpu/places.h"
#include "backends/cpu/processors.h"

namespace yanrt::cpu {

// All `parties` threads wait until the last one has come. Reusable at once; what was written before `wait` is visible
// to all after it.
class Barrier {
 public:
  Barrier(int parties, Places& places);
  void wait(int worker) noexcept;

 private:
  Places& places_;
  const uint32_t parties_;
  const int spins_;
  alignas(64) std::atomic<uint32_t> arrived_{0};
  alignas(64) std::atomic<uint32_t> phase_{0};
};

class ThreadPool {
 public:
  // `workers` >= 1, the caller of `run` included: 1 starts no thread. `runnable` is for tests (places.h).
  explicit ThreadPool(int workers, int (*runnable)() noexcept = runnable_threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // Calls fn(arg, worker, workers) on every worker, on this thread as worker 0; returns when all have returned.
  // Allocates nothing. One run at a time: the owner sees to that. `fn` must not throw.
  void run(void (*fn)(void* arg, int worker, int workers), void* arg) noexcept;

  int workers() const { return workers_; }
  // For use inside `run`, by all workers alike.
  Barrier& barrier() { return barrier_; }

 private:
  void serve(int worker) noexcept;
  void stop() noexcept;  // ends all threads

  const int workers_;
  Places places_;
  Barrier barrier_;   // between the kernels of a run
  Barrier finished_;  // the end of a run
  void (*fn_)(void*, int, int) = nullptr;
  void* arg_ = nullptr;
  bool stop_ = false;
  alignas(64) std::atomic<uint32_t> runs_{0};  // counts up at each run: what the workers wait for
  std::vector<std::thread> threads_;
};

}  // namespace yanrt::cpu
