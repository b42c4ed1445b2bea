// What the threads' meetings cost: a barrier, which stands between two kernels, and waking the pool, once a program.
// Medians of many rounds on as many threads as asked for. Built with -DYANRT_TESTING=ON.
//
//   bench_barrier [threads]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "backends/cpu/thread_pool.h"
#include "core/error.h"

namespace yanrt::cpu {
namespace {

constexpr int kRounds = 41, kMeetings = 2000;

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

}  // namespace
}  // namespace yanrt::cpu

int main(int argc, char** argv) {
  using namespace yanrt::cpu;
  try {
    ThreadPool pool(argc > 1 ? std::atoi(argv[1]) : default_threads());
    std::printf("%d threads\n", pool.workers());
    const auto meet = [](void* barrier, int, int) {
      for (int i = 0; i < kMeetings; ++i) static_cast<Barrier*>(barrier)->wait();
    };
    report("barrier", kMeetings, [&] { pool.run(meet, &pool.barrier()); });
    report("wake", kMeetings, [&] {
      for (int i = 0; i < kMeetings; ++i) pool.run([](void*, int, int) {}, nullptr);
    });
  } catch (const yanrt::Error& error) {
    std::fprintf(stderr, "bench_barrier: %s\n", error.what());
    return EXIT_FAILURE;
  }
}
