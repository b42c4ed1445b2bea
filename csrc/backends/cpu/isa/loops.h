// The inner loops of every op, as function pointers: one table an instruction set. A kernel's factory takes the table
// of its ISA once, at load. The loops themselves are in kernels/<op>_loops.h; their argument structs are here or in
// kernels/<op>_args.h, plain data that means the same in every unit.
#pragma once

#include <cstddef>
#include <cstdint>

#include "backends/cpu/isa/isa.h"
#include "backends/cpu/kernels/attention_args.h"
#include "backends/cpu/kernels/gemm_args.h"
#include "backends/cpu/kernels/norm_args.h"
#include "backends/cpu/kernels/pointwise_args.h"
#include "backends/cpu/kernels/row_args.h"

namespace yanrt::cpu {

struct Loops {
  ConvertLoops convert;
  QuantiseLoops quantise;
  GemmLoops gemm;
  DepthwiseLoops depthwise;
  PointwiseLoops pointwise;
  NormLoops norm;
  RowLoops row;
  AttentionLoops attention;
};

// The table of an instruction set that this processor can run (see parse_isa).
const Loops& loops_for(Isa isa);

}  // namespace yanrt::cpu
