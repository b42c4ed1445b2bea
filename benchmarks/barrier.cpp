// What the threads' meetings cost: a barrier, which stands between two kernels, and waking the pool, once a program;
// medians of many rounds. Then frames of kernels of equal work, one after the other and paced, as a game paces them
// (its threads sleep in between), alone and beside a thread that wakes up now and then: percentiles, and how often
// worker 0 shared its processor with another. Built with -DYANRT_TESTING=ON.
//
//   bench_barrier [threads [frames]]
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "backends/cpu/thread_pool.h"
#include "core/error.h"

namespace yanrt::cpu {
namespace {

constexpr int kRounds = 41, kMeetings = 2000;
constexpr int kKernels = 120;                                  // of a frame, 40 microseconds each
constexpr std::chrono::microseconds kPace{33'333};             // two frames, 60 a second
constexpr std::chrono::microseconds kNap{3'000}, kBurst{300};  // of the thread beside it

double microseconds() {
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Of one of `times` repetitions of `fn`: the median and the largest of the rounds.
template <class Fn>
void report(const char* what, int times, const Fn& fn) {
  std::vector<double> rounds;
  for (int i = 0; i < kRounds; ++i) {
    const double start = microseconds();
    fn();
    rounds.push_back((microseconds() - start) / times);
  }
  std::ranges::sort(rounds);
  std::printf("%-10s %8.3f us (slowest round %.3f)\n", what, rounds[kRounds / 2], rounds.back());
}

void work(int64_t turns) {
  for (int64_t i = 0; i < turns; ++i) asm volatile("" : "+r"(i));
}

// Turns of `work` in 40 microseconds: the fastest of a few tries.
int64_t turns_of_a_kernel() {
  constexpr int64_t kTry = 1'000'000;
  double best = 1e9;
  for (int i = 0; i < 20; ++i) {
    const double start = microseconds();
    work(kTry);
    best = std::min(best, microseconds() - start);
  }
  return static_cast<int64_t>(40 / best * kTry);
}

struct Frame {
  Barrier& barrier;
  int64_t turns;
  std::vector<int> processors;  // [kernels, workers]

  static void run(void* self, int worker, int workers) {
    auto& frame = *static_cast<Frame*>(self);
    for (int kernel = 0; kernel < kKernels; ++kernel) {
      work(frame.turns);
      frame.processors[static_cast<size_t>(kernel * workers + worker)] = this_processor();
      frame.barrier.wait(worker);
    }
  }

  // Kernels after which worker 0 was on the processor of another.
  int shared(int workers) const {
    int count = 0;
    for (auto row = processors.begin(); row != processors.end(); row += workers)
      count += std::find(row + 1, row + workers, *row) != row + workers;
    return count;
  }
};

void report_frames(ThreadPool& pool, int64_t turns, int frames, bool paced) {
  Frame frame{pool.barrier(), turns, std::vector<int>(static_cast<size_t>(kKernels * pool.workers()))};
  std::vector<double> times;
  int shared_kernels = 0, shared_frames = 0;
  auto next = std::chrono::steady_clock::now();
  for (int i = 0; i < frames; ++i) {
    if (paced) std::this_thread::sleep_until(next += kPace);
    const double start = microseconds();
    pool.run(Frame::run, &frame);
    times.push_back((microseconds() - start) / 1e3);
    const int shared = frame.shared(pool.workers());
    shared_kernels += shared;
    shared_frames += shared > 0;
  }
  std::ranges::sort(times);
  const auto at = [&](double share) { return times[static_cast<size_t>(share * static_cast<double>(frames - 1))]; };
  std::printf(
      "%-12s p50 %6.2f  p99 %6.2f  max %6.2f ms; a processor shared in %.2f %% of the kernels, %d of %d frames\n",
      paced ? "paced" : "back to back", at(.5), at(.99), times.back(), 100. * shared_kernels / frames / kKernels,
      shared_frames, frames);
}

}  // namespace
}  // namespace yanrt::cpu

int main(int argc, char** argv) {
  using namespace yanrt::cpu;
  try {
    ThreadPool pool(argc > 1 ? std::atoi(argv[1]) : default_threads());
    const int frames = argc > 2 ? std::max(1, std::atoi(argv[2])) : 300;
    std::printf("%d threads\n", pool.workers());
    const auto meet = [](void* pool, int worker, int) {
      for (int i = 0; i < kMeetings; ++i) static_cast<ThreadPool*>(pool)->barrier().wait(worker);
    };
    report("barrier", kMeetings, [&] { pool.run(meet, &pool); });
    report("wake", kMeetings, [&] {
      for (int i = 0; i < kMeetings; ++i) pool.run([](void*, int, int) {}, nullptr);
    });
    const int64_t turns = turns_of_a_kernel();
    for (bool paced : {false, true}) report_frames(pool, turns, frames, paced);
    std::atomic<bool> stop{false};
    std::thread beside([&] {
      while (!stop) {
        std::this_thread::sleep_for(kNap);
        for (const auto end = std::chrono::steady_clock::now() + kBurst; std::chrono::steady_clock::now() < end;) {
        }
      }
    });
    std::puts("beside a thread that wakes up every 3 ms for .3 ms:");
    for (bool paced : {false, true}) report_frames(pool, turns, frames, paced);
    stop = true;
    beside.join();
  } catch (const yanrt::Error& error) {
    std::fprintf(stderr, "bench_barrier: %s\n", error.what());
    return EXIT_FAILURE;
  }
}
