// The body of the units that differ from another one, YANRT_BASE_ISA, in the tiles of GEMM alone.
#pragma once

#include "backends/cpu/isa/loops.h"
#include "backends/cpu/kernels/gemm_loops.h"

namespace yanrt::cpu {

namespace YANRT_BASE_ISA {
const Loops& loops();
}

namespace YANRT_ISA {

const Loops& loops() {
  static const Loops table = [] {
    Loops changed = YANRT_BASE_ISA::loops();
    changed.gemm = kGemmLoops;
    return changed;
  }();
  return table;
}

}  // namespace YANRT_ISA
}  // namespace yanrt::cpu
