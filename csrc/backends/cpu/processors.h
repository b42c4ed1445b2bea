// On which processors threads may run, and do run. On Linux; elsewhere nothing is known, and nothing moves.
#pragma once

#include <span>
#include <vector>

namespace yanrt::cpu {

// Those in the affinity mask of the calling thread, which containers set; empty: not known.
std::vector<int> usable_processors();

// Processors this process may use, at least 1.
int default_threads();

// From now on the calling thread runs on `processor` alone.
void pin_this_thread(int processor) noexcept;

// Where the calling thread runs; -1: not known. Some nanoseconds.
int this_processor() noexcept;

// Threads of the whole machine that run or wait for a processor, this one included; 0: not known. Some microseconds.
int runnable_threads() noexcept;

// The calling thread, which shares its processor with another that wants to run, goes on on an idle one of its mask,
// none of `taken` (-1: ignored). Its mask is the same when this returns. Where it went; -1, and nothing moved, if
// `runnable` threads may keep all processors busy, or none is left. Up to some .15 ms, if the other has to wake up;
// allocates nothing.
int move_to_idle(std::span<const int> taken, int runnable) noexcept;

}  // namespace yanrt::cpu
