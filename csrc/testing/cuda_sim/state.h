// Settings and counters, as the parts of the simulator write them. Tests see sim.h.
#pragma once

#include "testing/cuda_sim/sim.h"

namespace yanrt::cuda_sim {

Stats& mutable_stats();
Live& mutable_live();

}  // namespace yanrt::cuda_sim
