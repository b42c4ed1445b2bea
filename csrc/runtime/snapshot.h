// Snapshots: the state of a session as bytes, with everything needed to refuse the wrong ones.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "runtime/engine.h"

namespace yanrt {

struct SessionCounters;

std::vector<std::byte> write_snapshot(const Engine& engine, const std::string& schedule,
                                      const SessionCounters& counters, std::span<const std::byte> state);

// Copies the state out of `snapshot` and returns its counters. Throws Error(argument), before `state` is touched, if it
// is damaged or of another package, schedule, precision or instruction set.
SessionCounters read_snapshot(std::span<const std::byte> snapshot, const Engine& engine, const std::string& schedule,
                              std::span<std::byte> state);

}  // namespace yanrt
