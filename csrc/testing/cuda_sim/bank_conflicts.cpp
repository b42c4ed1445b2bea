#include "testing/cuda_sim/bank_conflicts.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <vector>

#include "testing/cuda_sim/state.h"

namespace yanrt::cuda_sim {
namespace {

constexpr size_t kBanks = 32, kBankBytes = 4;

struct LaneAccess {
  uint16_t lane;
  size_t offset, bytes;
};
using Key = std::tuple<uint16_t, uint64_t, unsigned>;  // warp, pc, how often this lane has been there before
std::map<Key, std::vector<LaneAccess>> requests;
std::map<std::pair<uint16_t, uint64_t>, unsigned> visits;  // of a thread to a pc

// 8-byte accesses are served by half-warps, 16-byte ones by quarters; within a phase each bank gives one word a pass.
unsigned extra_passes(const std::vector<LaneAccess>& accesses, size_t width) {
  const size_t lanes_a_phase = width == 16 ? 8 : width == 8 ? 16 : 32;
  unsigned extra = 0;
  for (size_t first = 0; first < 32; first += lanes_a_phase) {
    std::set<size_t> words_of_bank[kBanks];
    for (const LaneAccess& access : accesses)
      if (access.lane >= first && access.lane < first + lanes_a_phase)
        for (size_t byte = 0; byte < access.bytes; byte += kBankBytes) {
          const size_t word = (access.offset + byte) / kBankBytes;
          words_of_bank[word % kBanks].insert(word);
        }
    size_t worst = 1;
    for (const auto& words : words_of_bank) worst = std::max(worst, words.size());
    extra += static_cast<unsigned>(worst - 1);
  }
  return extra;
}

}  // namespace

void count_bank_access(const Thread& thread, size_t offset, size_t bytes, uint64_t pc) {
  const unsigned visit = visits[{thread.linear, pc}]++;
  requests[{thread.warp, pc, visit}].push_back({thread.lane, offset, bytes});
}

void finish_bank_requests() {
  Stats& counts = mutable_stats();
  for (const auto& [key, accesses] : requests) {
    ++counts.shared_requests;
    counts.bank_conflicts += extra_passes(accesses, accesses.front().bytes);
  }
  requests.clear();
  visits.clear();
}

}  // namespace yanrt::cuda_sim
