#include "testing/cuda_sim/state.h"

#include "testing/cuda_sim/random.h"

namespace yanrt::cuda_sim {
namespace {

Options current;
Stats counts;
Live live;

}  // namespace

void configure(const Options& options) {
  current = options;
  random_source().seed(options.seed);
}

const Options& options() { return current; }
Stats stats() { return counts; }
void reset_stats() { counts = {}; }
Stats& mutable_stats() { return counts; }
Live live_objects() { return live; }
Live& mutable_live() { return live; }

Random& random_source() {
  static Random source;
  return source;
}

}  // namespace yanrt::cuda_sim
