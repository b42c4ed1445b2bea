// Keeps the workers of a pool on processors of their own. The system may wake a worker on the processor of another
// while one is idle, and most often after it slept, as the threads of a game do between frames. It may leave both there
// for a whole frame, since there they only make way for each other. So each worker notes where it is, and one that
// waits on the processor of a lower one moves to an idle one. Nobody moves on a machine that has more to do than
// processors: a worker beside somebody else's thread waits longer than beside its own kind. Worker 0, the caller of the
// pool, never moves, and no mask stays changed.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>

namespace yanrt::cpu {

constexpr int kMaxWorkers = 1024;  // of a pool

class Places {
 public:
  // `runnable` is runnable_threads but in tests.
  Places(int workers, int (*runnable)() noexcept);

  // The calling thread is `worker`, and is here now; is about to sleep, and may wake up anywhere.
  void note(int worker) noexcept;
  void leave(int worker) noexcept;

  // Notes `worker`, the calling thread. Whether another was last seen here, or may be waking up here, so that spinning
  // keeps that one from working. If a lower one is here this one moves away instead, unless it lately tried.
  bool crowded(int worker) noexcept;

 private:
  struct alignas(64) Place {
    std::atomic<int> processor{-1};                     // -1: asleep, or not known
    std::chrono::steady_clock::time_point next_move{};  // of the worker alone
  };

  bool move(int worker) noexcept;

  const int workers_;
  int (*const runnable_)() noexcept;
  std::unique_ptr<Place[]> places_;
};

}  // namespace yanrt::cpu
