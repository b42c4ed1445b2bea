#include <algorithm>
#include <cstring>

#include "testing/cuda_sim/checker.h"
#include "testing/cuda_sim/memory.h"
#include "testing/cuda_sim/report.h"
#include "testing/cuda_sim/state.h"
#include "testing/cuda_sim/tensor_core.h"

namespace yanrt::cuda_sim {
namespace {

// Each of the four 8-row matrices is one request of 8 times 16 bytes: conflict-free if the rows fall into different
// quarters of the 32 banks.
void count_conflicts(const LdmatrixInput* const (&lanes)[32]) {
  Stats& counts = mutable_stats();
  for (int matrix = 0; matrix < 4; ++matrix) {
    int rows_of_group[8] = {}, worst = 0;
    for (int row = 0; row < 8; ++row) {
      const size_t group = reinterpret_cast<uintptr_t>(lanes[matrix * 8 + row]->row) / 16 % 8;
      worst = std::max(worst, ++rows_of_group[group]);
    }
    ++counts.shared_requests;
    counts.bank_conflicts += worst - 1;
  }
}

bool check_rows(const Collective& collective, const LdmatrixInput* const (&lanes)[32]) {
  const unsigned first = current_thread()->warp * 32u;
  for (unsigned lane = 0; lane < 32; ++lane) {
    const LdmatrixInput& in = *lanes[lane];
    if (!in_shared(in.row)) {
      report("ldmatrix-address", format("%s: lane %u: the row is not in shared memory, at %s", collective.what, lane,
                                        source_line(in.pc).c_str()));
      return false;
    }
    if (reinterpret_cast<uintptr_t>(in.row) % 16)
      report("misaligned", format("%s: lane %u: the row is not aligned to 16 bytes, at %s", collective.what, lane,
                                  source_line(in.pc).c_str()));
    check_access(thread_of_block(first + lane), in.row, 16, Access::read, in.pc);
  }
  return true;
}

void load(Collective& collective, bool transposed) {
  const LdmatrixInput* lanes[32];
  for (unsigned lane = 0; lane < 32; ++lane) lanes[lane] = reinterpret_cast<const LdmatrixInput*>(collective.in[lane]);
  if (!check_rows(collective, lanes)) abandon_kernel();
  count_conflicts(lanes);
  for (unsigned lane = 0; lane < 32; ++lane)
    for (unsigned matrix = 0; matrix < 4; ++matrix) {
      const auto element = [&](unsigned row, unsigned column) { return lanes[matrix * 8 + row]->row + column * 2; };
      std::byte* out = collective.out[lane] + matrix * 4;
      if (transposed) {
        std::memcpy(out, element(lane % 4 * 2, lane / 4), 2);
        std::memcpy(out + 2, element(lane % 4 * 2 + 1, lane / 4), 2);
      } else {
        std::memcpy(out, element(lane / 4, lane % 4 * 2), 4);
      }
    }
}

}  // namespace

void compute_ldmatrix(Collective& collective) { load(collective, false); }
void compute_ldmatrix_trans(Collective& collective) { load(collective, true); }

}  // namespace yanrt::cuda_sim
