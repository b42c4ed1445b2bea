#include "runtime/memory_planner.h"

#include <algorithm>
#include <numeric>

#include "core/error.h"

namespace yanrt {
namespace {

bool alive_together(const WorkspaceBuffer& a, const WorkspaceBuffer& b) {
  return a.first <= b.last && b.first <= a.last;
}

}  // namespace

void plan_memory(Plan& plan) {
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
