#pragma once

#include "runtime/plan.h"

namespace yanrt {

// Gives every buffer of the workspace its lifetime and an offset, so that buffers alive at the same time do not
// overlap; sets plan.workspace_bytes. Greedy by size: the largest buffer first, each at the lowest gap that holds it.
void plan_memory(Plan& plan);

// Checks what plan_memory promises, from the ops alone and by another method (it replays the plan and tracks who owns
// each byte range). Throws Error(memory) naming the two ops that clash.
void check_plan(const Plan& plan);

}  // namespace yanrt
