// Snapshots: the state of a session as bytes, with everything needed to refuse the wrong ones.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "runtime/runner.h"

namespace yanrt {

struct SessionCounters;

std::vector<std::byte> write_snapshot(const Runner& runner, const std::string& schedule,
                                      const SessionCounters& counters);

// Loads the state into `runner` and returns the counters. Throws Error(argument), before the state is touched, if the
// snapshot is damaged or of another package, schedule, precision or instruction set.
SessionCounters read_snapshot(std::span<const std::byte> snapshot, const std::string& schedule, Runner& runner);

}  // namespace yanrt
