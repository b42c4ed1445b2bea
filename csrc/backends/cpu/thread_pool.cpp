#include "backends/cpu/thread_pool.h"

#include <string>
#include <system_error>

#include "core/error.h"

namespace yanrt::cpu {
namespace {

// A wait is up to kGlances times some spins, with the processor's pause between them (1.5 to 6 microseconds), and a
// look at who else is here; then sleep. Not early: the system may wake a sleeper where another works.
constexpr int kSpins = 256, kGlances = 64;

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Returns once `value` is no longer `old`. Whoever changes it calls notify_all.
void await_change(const std::atomic<uint32_t>& value, uint32_t old, int spins, Places& places, int worker) {
  for (int glance = 0; glance < kGlances; ++glance) {
    for (int i = 0; i < spins; ++i) {
      if (value.load(std::memory_order_acquire) != old) return;
      pause();
    }
    if (value.load(std::memory_order_acquire) != old) return;
    if (spins == 0 || places.crowded(worker)) std::this_thread::yield();
  }
  places.leave(worker);
  value.wait(old, std::memory_order_acquire);
  if (spins > 0) places.crowded(worker);  // woken where another works
}

// With more threads than processors the one waited for may need this very processor: do not spin.
int spins_of(int threads) { return threads <= default_threads() ? kSpins : 0; }

int checked(int workers) {
  if (workers < 1 || workers > kMaxWorkers)
    throw Error(ErrorKind::argument, "threads = " + std::to_string(workers) + ": choose 1 to " +
                                         std::to_string(kMaxWorkers) + ", or 0 for one a processor");
  return workers;
}

}  // namespace

Barrier::Barrier(int parties, Places& places)
    : places_(places), parties_(static_cast<uint32_t>(parties)), spins_(spins_of(parties)) {}

void Barrier::wait(int worker) noexcept {
  if (parties_ == 1) return;
  places_.note(worker);
  const uint32_t phase = phase_.load(std::memory_order_relaxed);  // cannot change before this thread has arrived
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == parties_) {
    arrived_.store(0, std::memory_order_relaxed);
    phase_.store(phase + 1, std::memory_order_release);
    phase_.notify_all();
  } else {
    await_change(phase_, phase, spins_, places_, worker);
  }
}

ThreadPool::ThreadPool(int workers, int (*runnable)() noexcept)
    : workers_(checked(workers)), places_(workers, runnable), barrier_(workers, places_), finished_(workers, places_) {
  threads_.reserve(static_cast<size_t>(workers - 1));
  try {
    for (int worker = 1; worker < workers; ++worker) threads_.emplace_back([this, worker] { serve(worker); });
  } catch (const std::system_error& error) {
    stop();
    throw Error(ErrorKind::memory,
                "cannot start " + std::to_string(workers - 1) + " threads: " + error.what() + "; ask for fewer");
  }
}

ThreadPool::~ThreadPool() { stop(); }

void ThreadPool::stop() noexcept {
  stop_ = true;
  runs_.fetch_add(1, std::memory_order_release);
  runs_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void ThreadPool::serve(int worker) noexcept {
  const int spins = spins_of(workers_);
  for (uint32_t seen = 0;; ++seen) {
    await_change(runs_, seen, spins, places_, worker);
    if (stop_) return;
    fn_(arg_, worker, workers_);
    finished_.wait(worker);
  }
}

void ThreadPool::run(void (*fn)(void*, int, int), void* arg) noexcept {
  fn_ = fn;
  arg_ = arg;
  if (workers_ > 1) {
    places_.note(0);
    runs_.fetch_add(1, std::memory_order_release);
    runs_.notify_all();
  }
  fn(arg, 0, workers_);
  finished_.wait(0);
}

}  // namespace yanrt::cpu
