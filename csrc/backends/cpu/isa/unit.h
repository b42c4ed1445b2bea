// The body of the units in isa/: every op's inner loops, compiled with the unit's flags in the namespace YANRT_ISA.
#pragma once

#include "backends/cpu/isa/loops.h"
#include "backends/cpu/isa/simd.h"
// One line an op.
#include "backends/cpu/kernels/attention_loops.h"
#include "backends/cpu/kernels/conv2d_loops.h"
#include "backends/cpu/kernels/convert_loops.h"
#include "backends/cpu/kernels/gemm_loops.h"
#include "backends/cpu/kernels/norm_loops.h"
#include "backends/cpu/kernels/pointwise_loops.h"
#include "backends/cpu/kernels/quantise_loops.h"
#include "backends/cpu/kernels/row_loops.h"

namespace yanrt::cpu::YANRT_ISA {

const Loops& loops() {
  static constexpr Loops table = {
      .convert = kConvertLoops,
      .quantise = kQuantiseLoops,
      .gemm = kGemmLoops,
      .depthwise = kDepthwiseLoops,
      .pointwise = kPointwiseLoops,
      .norm = kNormLoops,
      .row = kRowLoops,
      .attention = kAttentionLoops,
  };
  return table;
}

}  // namespace yanrt::cpu::YANRT_ISA
