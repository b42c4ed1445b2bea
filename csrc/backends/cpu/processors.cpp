#include "backends/cpu/processors.h"

#include <algorithm>
#include <thread>
#if defined(__linux__)
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <charconv>
#include <string_view>
#endif

namespace yanrt::cpu {

#if defined(__linux__)

std::vector<int> usable_processors() {
  std::vector<int> processors;
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0)
    for (int i = 0; i < CPU_SETSIZE; ++i)
      if (CPU_ISSET(i, &set)) processors.push_back(i);
  return processors;
}

void pin_this_thread(int processor) noexcept {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(processor, &set);
  pthread_setaffinity_np(pthread_self(), sizeof(set), &set);  // a hint: on failure the thread stays unpinned
}

int this_processor() noexcept { return sched_getcpu(); }

int runnable_threads() noexcept {
  const int file = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  char text[128];
  const ssize_t size = read(file, text, sizeof(text));
  close(file);
  if (size <= 0) return 0;
  std::string_view line(text, static_cast<size_t>(size));  // "0.52 0.31 0.20 3/187 4242": 3 of 187 threads
  for (int i = 0; i < 3; ++i) line.remove_prefix(std::min(line.find(' '), line.size() - 1) + 1);
  int count = 0;
  std::from_chars(line.data(), line.data() + line.size(), count);
  return count;
}

// No more threads want to run than there are processors, and two of them are here: one processor has none.
int move_to_idle(std::span<const int> taken, int runnable) noexcept {
  cpu_set_t mask;
  if (sched_getaffinity(0, sizeof(mask), &mask) != 0) return -1;
  cpu_set_t others = mask;
  for (int processor : taken)
    if (processor >= 0) CPU_CLR(processor, &others);
  if (CPU_COUNT(&others) == 0 || runnable == 0 || runnable > CPU_COUNT(&mask)) return -1;
  if (sched_setaffinity(0, sizeof(others), &others) != 0) return -1;
  const int there = this_processor();
  sched_setaffinity(0, sizeof(mask), &mask);
  return there;
}

#else

std::vector<int> usable_processors() { return {}; }
void pin_this_thread(int) noexcept {}
int this_processor() noexcept { return -1; }
int runnable_threads() noexcept { return 0; }
int move_to_idle(std::span<const int>, int) noexcept { return -1; }

#endif

int default_threads() {
  const auto processors = static_cast<int>(usable_processors().size());
  return std::max(1, processors ? processors : static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace yanrt::cpu
