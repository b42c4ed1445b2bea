#include "runtime/memory_planner.h"

#include <algorithm>
#include <numeric>

#include "core/error.h"

namespace yanrt {
namespace {

bool alive_together(const WorkspaceBuffer& a, const WorkspaceBuffer& b) {
  return a.first <= b.last && b.first <= a.last;
}

void find_lifetimes(Plan& plan) {
  for (WorkspaceBuffer& buffer : plan.buffers) buffer.first = buffer.last = -1;
  for (size_t i = 0; i < plan.ops.size(); ++i)
    for (const auto* operands : {&plan.ops[i].inputs, &plan.ops[i].outputs})
      for (const Operand& operand : *operands) {
        if (operand.arena != Arena::workspace) continue;
        WorkspaceBuffer& buffer = plan.buffers[operand.index];
        if (buffer.first < 0) buffer.first = static_cast<int>(i);
        buffer.last = static_cast<int>(i);
      }
  for (WorkspaceBuffer& buffer : plan.buffers)
    if (buffer.first < 0) buffer.bytes = 0;
}

}  // namespace

void plan_memory(Plan& plan) {
  find_lifetimes(plan);
  std::vector<int> order(plan.buffers.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int a, int b) { return plan.buffers[a].bytes > plan.buffers[b].bytes; });
  std::vector<const WorkspaceBuffer*> placed;  // sorted by offset
  plan.workspace_bytes = 0;
  for (int index : order) {
    WorkspaceBuffer& buffer = plan.buffers[index];
    size_t offset = 0;
    for (const WorkspaceBuffer* other : placed) {
      if (!alive_together(buffer, *other)) continue;
      if (offset + buffer.bytes <= other->offset) break;
      offset = std::max(offset, other->offset + other->bytes);
    }
    buffer.offset = offset;
    plan.workspace_bytes = std::max(plan.workspace_bytes, offset + buffer.bytes);
    placed.insert(std::upper_bound(placed.begin(), placed.end(), &buffer,
                                   [](const auto* a, const auto* b) { return a->offset < b->offset; }),
                  &buffer);
  }
}

}  // namespace yanrt
