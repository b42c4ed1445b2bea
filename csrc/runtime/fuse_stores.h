// Element-wise work and permutations on the result of an op, done by its kernel as it writes: a picture's pixel
// shuffle, clamping and bytes cost no pass over memory of their own.
#pragma once

#include <functional>

#include "runtime/plan.h"

namespace yanrt {

// Ops that `accepts` take over from their results' only readers, as long as these are copies of the whole result, in
// any order, or one `pointwise` of nothing else. To be called before the memory is planned.
void fuse_stores(Plan& plan, const std::function<bool(const PlannedOp&)>& accepts);

}  // namespace yanrt
