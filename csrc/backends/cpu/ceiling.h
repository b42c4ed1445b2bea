// What this processor can do at best, measured: the ceiling that the time of a kernel is compared with.
#pragma once

#include <cstddef>

namespace yanrt::cpu {

// Operations (a multiply-add counts as two) and bytes a second of `threads` threads together.
struct Ceiling {
  double f32 = 0;           // fused multiply-adds
  double f32_products = 0;  // the same, or six tdpbf16ps for each product of f32 (kernels/gemm_split_loops.h)
  double bf16 = 0;          // tdpbf16ps of AMX, or vdpbf16ps, or those of f32, in which bf16 is then computed
  double int8 = 0;          // tdpbusd of AMX, or vpdpbusd, or vpmaddubsw, vpmaddwd and vpaddd
  double bytes = 0;         // reading the working set
};

inline constexpr size_t kNoCache = size_t{192} << 20;

// Register-only loops of independent chains, and sums over `working_set` bytes of all threads together, again and again
// (the default is in no cache): the best of several short runs, 0.2 to 0.4 s in all. Clocks vary: measure beside what
// is compared with it.
Ceiling measure_ceiling(int threads, size_t working_set = kNoCache);

}  // namespace yanrt::cpu
