// Shares no code with the planner: replays the ops in order and remembers which buffer last wrote each range of bytes.
#include <iterator>
#include <map>
#include <string>

#include "core/error.h"
#include "runtime/memory_planner.h"

namespace yanrt {
namespace {

// Owner of each byte range of the workspace: start -> {end, buffer}. Ranges never overlap.
class Ownership {
 public:
  void claim(size_t begin, size_t end, int buffer) {
    auto it = ranges_.lower_bound(begin);
    if (it != ranges_.begin() && std::prev(it)->second.end > begin) --it;
    while (it != ranges_.end() && it->first < end) {
      const auto [start, range] = *it;
      it = ranges_.erase(it);
      if (start < begin) ranges_[start] = {begin, range.buffer};
      if (range.end > end) it = std::next(ranges_.emplace(end, Range{range.end, range.buffer}).first);
    }
    ranges_[begin] = {end, buffer};
  }

  // The first buffer other than `buffer` (-1: never written) that owns a byte of the range; `buffer` if there is none.
  int intruder(size_t begin, size_t end, int buffer) const {
    size_t at = begin;
    auto it = ranges_.upper_bound(begin);
    if (it != ranges_.begin()) --it;
    for (; at < end; ++it) {
      if (it == ranges_.end() || it->first > at || it->second.end <= at) return -1;
      if (it->second.buffer != buffer) return it->second.buffer;
      at = it->second.end;
    }
    return buffer;
  }

 private:
  struct Range {
    size_t end;
    int buffer;
  };
  std::map<size_t, Range> ranges_;
};

std::string describe(const Plan& plan, size_t op) {
  return "op " + std::to_string(op) + " (" + std::string(plan.ops[op].node->def->name) + ", " +
         plan.ops[op].node->source + ") of program '" + plan.program->name + "'";
}

}  // namespace

void check_plan(const Plan& plan) {
  Ownership owners;
  for (size_t i = 0; i < plan.ops.size(); ++i) {
    for (const Operand& in : plan.ops[i].inputs) {
      if (in.arena != Arena::workspace) continue;
      const WorkspaceBuffer& b = plan.buffers[in.index];
      const int other = owners.intruder(b.offset, b.offset + b.bytes, in.index);
      if (other != in.index)
        throw Error(ErrorKind::memory, "memory plan: " + describe(plan, i) + " reads buffer " +
                                           std::to_string(in.index) + ", which was overwritten by buffer " +
                                           std::to_string(other) +
                                           " or never written. This is a bug in yanrt: please report the package.");
    }
    for (const Operand& out : plan.ops[i].outputs) {
      if (out.arena != Arena::workspace) continue;
      const WorkspaceBuffer& b = plan.buffers[out.index];
      if (b.offset % kAlignment != 0 || b.offset + b.bytes > plan.workspace_bytes || b.bytes < out.desc.bytes())
        throw Error(ErrorKind::memory, "memory plan: " + describe(plan, i) +
                                           " writes outside the workspace. This is a "
                                           "bug in yanrt: please report the package.");
      owners.claim(b.offset, b.offset + b.bytes, out.index);
    }
    // An op's inputs must survive its own writes.
    for (const Operand& in : plan.ops[i].inputs) {
      if (in.arena != Arena::workspace) continue;
      const WorkspaceBuffer& b = plan.buffers[in.index];
      if (owners.intruder(b.offset, b.offset + b.bytes, in.index) != in.index)
        throw Error(ErrorKind::memory, "memory plan: " + describe(plan, i) +
                                           " overwrites its own input. This is a bug "
                                           "in yanrt: please report the package.");
    }
  }
}

}  // namespace yanrt
