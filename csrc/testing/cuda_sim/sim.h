// A simulator of the CUDA execution model on the host, for tests. Kernels are ordinary C++ functions: every CUDA thread
// of a block is a fiber, blocks run one after another, and the runtime API (streams, events, graphs) is simulated with
// its real prototypes. This header is what tests see; docs/cuda.md says how it works and what it cannot find.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace yanrt::cuda_sim {

// Which ready thread, block, stream or graph node runs next.
enum class Order { fifo, lifo, random };

struct Options {
  Order order = Order::fifo;
  uint64_t seed = 1;
  double preempt = 0;  // chance of switching threads at a memory access, 0..1
  bool checks = true;  // races, bounds, uninitialised reads (misalignment and barriers are always checked)
  bool banks = false;  // count bank conflicts of plain shared-memory accesses (slow; ldmatrix is always counted)
  bool hardware_sums =
      false;      // add the products of an mma as the chip does (Ada's FP8: 13 bits, truncated), not in f32
  int arch = 89;  // compute capability times ten: 80, 86, 89, 90, 100, 120
  int devices = 1;
  size_t device_bytes = size_t{4} << 30;  // memory of a device
  size_t max_reports = 20;
};

// A fault found in a kernel or in the use of the runtime API. `kind` is a stable word ("race-write-write").
struct Report {
  std::string kind;
  std::string text;
};

struct Stats {
  uint64_t launches = 0, blocks = 0, threads = 0, switches = 0, accesses = 0, barriers = 0, collectives = 0;
  uint64_t mma_steps = 0;        // of a whole warp
  uint64_t shared_requests = 0;  // a warp's access to shared memory: ldmatrix, and plain ones with `banks`
  uint64_t bank_conflicts = 0;   // passes more than the one a request needs
  uint64_t graph_launches = 0, copies = 0;
  std::map<std::string, uint64_t> api_calls;  // of an engine, by name: all but questions about devices and errors
};

// What exists of handles and memory: nothing, once all its users are gone.
struct Live {
  size_t streams = 0, events = 0, graphs = 0, device_bytes = 0, pinned_bytes = 0;
};

// Takes effect at once and restarts the random order; finish outstanding work before.
void configure(const Options& options);
const Options& options();
// Returns what was found since the last call, and clears it.
std::vector<Report> take_reports();
Stats stats();
void reset_stats();
Live live_objects();

}  // namespace yanrt::cuda_sim
