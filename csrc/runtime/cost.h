// What an op costs whatever runs it: operations and bytes, exact for the plan at hand. Profiles, benchmarks and
// estimates divide these by measured times or by the ceilings of a device.
#pragma once

#include "core/precision.h"
#include "runtime/plan.h"

namespace yanrt {

struct OpCost {
  double flops = 0;         // a multiply-add counts as two, any other instruction on an element as one
  double exponentials = 0;  // of `flops`, those of a softmax: slower than others everywhere
  double read = 0;          // bytes of every operand, once; weights in the type they are computed with
  double written = 0;       // bytes of the outputs, and of the frames that enter a ring
  double weights = 0;       // of `read`: constants that the kernels keep packed
  bool quadratic = false;  // `flops` grow with the square of the tokens: a query sees as many keys as there are queries
  bool matrix = false;  // products of matrices: bounded by the dot products of the precision, not by plain arithmetic
};

// Of one element of a packed weight.
double weight_bytes(Precision precision);

// `weight_bytes` is the size of one element of a packed weight. Ring attention is counted as it is once its ring is
// full.
OpCost op_cost(const PlannedOp& op, double weight_bytes);

}  // namespace yanrt
