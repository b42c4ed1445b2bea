#include "testing/cuda_sim/collective.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "testing/cuda_sim/report.h"
#include "testing/cuda_sim/state.h"

namespace yanrt::cuda_sim {
namespace {

std::vector<Collective*> pool;

Collective* open_collective(Warp& warp, uint32_t mask, const char* what, SourceSite site) {
  for (Collective* open : warp.open)
    if (open->mask == mask) return open;
  if (pool.empty()) pool.push_back(new Collective);
  Collective* made = pool.back();
  pool.pop_back();
  made->mask = mask;
  made->arrived = 0;
  made->what = what;
  made->site = site;
  warp.open.push_back(made);
  return made;
}

// The lanes of `mask` that exist and, so that a fault does not hang here, have not returned.
uint32_t checked_mask(const Thread& thread, uint32_t mask, const char* what, SourceSite site) {
  const std::string key = format("%s:%d", site.file, site.line);
  if (!(mask >> thread.lane & 1))
    report("warp-mask",
           format("%s at %s:%d: lane %u is not in its own mask %08x", what, base_name(site.file).c_str(), site.line,
                  thread.lane, mask),
           key);
  const unsigned lanes = std::min(current_block_state().threads - thread.warp * 32u, 32u);
  return mask & (lanes == 32 ? ~0u : (1u << lanes) - 1);
}

void finish(Collective* done, Thread& last, void* out, size_t out_bytes) {
  for (unsigned lane = 0; lane < 32; ++lane) {
    if (!(done->mask >> lane & 1)) continue;
    Thread& thread = thread_of_block(last.warp * 32u + lane);
    if (&thread == &last) {
      std::memcpy(out, done->out[lane], out_bytes);
    } else {
      std::memcpy(thread.result, done->out[lane], out_bytes);
      wake(thread);
    }
  }
  std::vector<Collective*>& open = warp_of(last).open;
  open.erase(std::find(open.begin(), open.end(), done));
  pool.push_back(done);
}

}  // namespace

void meet(uint32_t mask, const char* what, SourceSite site, const void* in, size_t in_bytes, void* out,
          size_t out_bytes, CollectiveFunction compute) {
  Thread& thread = *current_thread();
  mask = checked_mask(thread, mask, what, site);
  Collective* collective = open_collective(warp_of(thread), mask, what, site);
  if (std::strcmp(collective->what, what) != 0 || collective->site.line != site.line)
    report("warp-divergence",
           format("lanes of one warp meet in different operations: %s at line %d and %s at line %d", collective->what,
                  collective->site.line, what, site.line),
           format("%d/%d", collective->site.line, site.line));
  std::memcpy(collective->in[thread.lane], in, in_bytes);
  collective->arrived |= 1u << thread.lane;
  if (collective->arrived != collective->mask) {
    thread.state = ThreadState::in_collective;
    thread.waits_in = what;
    thread.site = site;
    yield_thread();
    std::memcpy(out, thread.result, out_bytes);
    return;
  }
  ++mutable_stats().collectives;
  if (compute) compute(*collective);
  finish(collective, thread, out, out_bytes);
}

void warp_sync(uint32_t mask, SourceSite site) {
  std::byte nothing{};
  meet(mask, "__syncwarp", site, &nothing, 0, &nothing, 0, nullptr);
  ++current_thread()->warp_epoch;  // orders memory among the lanes (a partial mask is taken as a full one)
}

void compute_shuffle(Collective& collective) {
  for (unsigned lane = 0; lane < 32; ++lane) {
    if (!(collective.mask >> lane & 1)) continue;
    const auto& wanted = *reinterpret_cast<const ShuffleInput*>(collective.in[lane]);
    const unsigned source = wanted.source & 31;
    if (collective.mask >> source & 1) {
      std::memcpy(collective.out[lane], reinterpret_cast<const ShuffleInput*>(collective.in[source])->value, 16);
    } else {
      report("warp-mask",
             format("shuffle at %s:%d: lane %u reads lane %u, which is not in mask %08x",
                    base_name(collective.site.file).c_str(), collective.site.line, lane, source, collective.mask),
             format("%d", collective.site.line));
      std::memset(collective.out[lane], 0xff, 16);
    }
  }
}

void compute_ballot(Collective& collective) {
  uint32_t votes = 0;
  for (unsigned lane = 0; lane < 32; ++lane) {
    int predicate = 0;
    std::memcpy(&predicate, collective.in[lane], sizeof predicate);
    if (collective.mask >> lane & 1 && predicate) votes |= 1u << lane;
  }
  for (auto& out : collective.out) std::memcpy(out, &votes, sizeof votes);
}

}  // namespace yanrt::cuda_sim
