// From a verified program to a plan: operands described, views resolved, copies inserted where a kernel cannot read the
// strides a view left. Nothing is placed yet.
#pragma once

#include "core/precision.h"
#include "runtime/plan.h"

namespace yanrt {

// Where every state of the package lies for this precision.
StateLayout lay_out_states(const Package& package, Precision precision, KvType kv);

Plan build_plan(const Package& package, const Program& program, const StateLayout& states, Precision precision);

}  // namespace yanrt
