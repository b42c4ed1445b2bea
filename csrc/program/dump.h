#pragma once

#include <string>

#include "program/program.h"

namespace yanrt {

// One line an op: `%9 f32[1, 160, 320] = linear(%7, blocks.0.ffn.up.weight, ...) {act=gelu_tanh} # blocks.0.ffn`.
std::string dump(const Program& program);

}  // namespace yanrt
