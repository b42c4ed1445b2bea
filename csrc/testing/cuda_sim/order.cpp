#include "testing/cuda_sim/order.h"

#include <algorithm>
#include <deque>

namespace yanrt::cuda_sim {
namespace {

constexpr size_t kRemembered = 100000;  // operations; older ones count as finished

struct Begun {
  uint32_t first_block;
  Operation operation;
};
std::deque<Begun> history;
uint32_t block = 0;

// The answer for the operation asked about last: neighbouring bytes have the same writer.
struct {
  uint32_t first = 1, last = 0;
  bool finished = false;
} recent;

bool precedes(const Operation& earlier, const Operation& now) {
  if (earlier.timeline == now.timeline && earlier.sequence == now.sequence)
    return !now.ancestors || (*now.ancestors)[now.node][earlier.node];
  if (!now.before) return true;
  return earlier.timeline < now.before->size() && (*now.before)[earlier.timeline] >= earlier.sequence;
}

}  // namespace

void join_clock(Clock& clock, const Clock& other) {
  if (clock.size() < other.size()) clock.resize(other.size(), 0);
  for (size_t i = 0; i < other.size(); ++i) clock[i] = std::max(clock[i], other[i]);
}

void begin_operation(const Operation& operation) {
  history.push_back({block + 1, operation});
  if (history.size() > kRemembered) history.pop_front();
  recent = {};
}

uint32_t next_block() { return ++block; }
uint32_t current_block() { return block; }
uint32_t first_block_of_operation() { return history.empty() ? 1 : history.back().first_block; }

bool finished_before(uint32_t other) {
  if (other >= recent.first && other <= recent.last) return recent.finished;
  const auto after = std::upper_bound(history.begin(), history.end(), other,
                                      [](uint32_t b, const Begun& begun) { return b < begun.first_block; });
  if (after == history.begin()) return true;
  recent.first = std::prev(after)->first_block;
  recent.last = after == history.end() ? block : after->first_block - 1;
  recent.finished = precedes(std::prev(after)->operation, history.back().operation);
  return recent.finished;
}

}  // namespace yanrt::cuda_sim
