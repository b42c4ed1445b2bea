#include "backends/cpu/thread_pool.h"

#include <algorithm>
#include <string>
#include <system_error>

#include "core/error.h"
#if defined(__linux__)
#include <pthread.h>
#include <sched.h>
#endif

namespace yanrt::cpu {
namespace {

constexpr int kMaxWorkers = 1024;
constexpr int kSpins = 4000;  // with the processor's pause, some 20 to 100 microseconds
constexpr int kYields = 64;

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Returns once `value` is no longer `old`. Whoever changes it calls notify_all.
void await_change(const std::atomic<uint32_t>& value, uint32_t old, int spins) {
  for (int i = 0; i < spins; ++i) {
    if (value.load(std::memory_order_acquire) != old) return;
    pause();
  }
  for (int i = 0; i < kYields; ++i) {
    if (value.load(std::memory_order_acquire) != old) return;
    std::this_thread::yield();
  }
  value.wait(old, std::memory_order_acquire);
}

std::vector<int> usable_processors() {
  std::vector<int> processors;
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0)
    for (int i = 0; i < CPU_SETSIZE; ++i)
      if (CPU_ISSET(i, &set)) processors.push_back(i);
#endif
  return processors;
}

void pin_this_thread(int processor) {
#if defined(__linux__)
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(processor, &set);
  pthread_setaffinity_np(pthread_self(), sizeof(set), &set);  // a hint: on failure the thread stays unpinned
#else
  (void)processor;
#endif
}

int checked(int workers) {
  if (workers < 1 || workers > kMaxWorkers)
    throw Error(ErrorKind::argument, "threads = " + std::to_string(workers) + ": choose 1 to " +
                                         std::to_string(kMaxWorkers) + ", or 0 for one a processor");
  return workers;
}

}  // namespace

int default_threads() {
  const auto processors = static_cast<int>(usable_processors().size());
  return std::max(1, processors ? processors : static_cast<int>(std::thread::hardware_concurrency()));
}

// With more threads than processors the one waited for may need this very processor: do not spin.
Barrier::Barrier(int parties)
    : parties_(static_cast<uint32_t>(parties)), spins_(parties <= default_threads() ? kSpins : 0) {}

void Barrier::wait() noexcept {
  if (parties_ == 1) return;
  const uint32_t phase = phase_.load(std::memory_order_relaxed);  // cannot change before this thread has arrived
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == parties_) {
    arrived_.store(0, std::memory_order_relaxed);
    phase_.store(phase + 1, std::memory_order_release);
    phase_.notify_all();
  } else {
    await_change(phase_, phase, spins_);
  }
}

ThreadPool::ThreadPool(int workers, bool pin) : workers_(checked(workers)), barrier_(workers), finished_(workers) {
  const std::vector<int> processors = pin ? usable_processors() : std::vector<int>{};
  threads_.reserve(static_cast<size_t>(workers - 1));
  try {
    for (int worker = 1; worker < workers; ++worker) {
      threads_.emplace_back([this, worker, processors] {
        if (!processors.empty()) pin_this_thread(processors[static_cast<size_t>(worker) % processors.size()]);
        serve(worker);
      });
    }
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
  const int spins = workers_ <= default_threads() ? kSpins : 0;
  for (uint32_t seen = 0;; ++seen) {
    await_change(runs_, seen, spins);
    if (stop_) return;
    fn_(arg_, worker, workers_);
    finished_.wait();
  }
}

void ThreadPool::run(void (*fn)(void*, int, int), void* arg) noexcept {
  fn_ = fn;
  arg_ = arg;
  if (workers_ > 1) {
    runs_.fetch_add(1, std::memory_order_release);
    runs_.notify_all();
  }
  fn(arg, 0, workers_);
  finished_.wait();
}

}  // namespace yanrt::cpu
