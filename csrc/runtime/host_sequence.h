// Sequences of a backend whose memory the host can reach.
#pragma once

#include <memory>

#include "runtime/backend.h"

namespace yanrt {

// Runs the stages one after the other, within start().
std::unique_ptr<Sequence> make_host_sequence(const SequenceSpec& spec);

}  // namespace yanrt
