// The instructions of `pointwise` (docs/pointwise.md), alone: the units of backends/cpu/isa include no standard
// library.
#pragma once

#include <cstdint>

namespace yanrt {

// clang-format off
enum class PwOp : uint8_t {
  add, sub, mul, min, max, neg, abs,                                      // float -> float, int -> int (wraps)
  div, pow, exp, log, sqrt, rsqrt, tanh, sigmoid, silu, gelu, gelu_tanh,  // float -> float
  relu, sin, cos, floor, ceil, round,
  floordiv, mod,                         // both kinds; rounds to minus infinity; an int divided by 0 gives 0
  eq, ne, lt, le, gt, ge,                // both kinds -> int
  logical_and, logical_or, logical_not,  // int -> int, on truth
  where,                                 // int, then two of one kind
  to_float,                              // int -> float
  to_int,                                // float -> int: truncates, saturates, NaN gives 0
  clamp,                                 // as its first argument
};
// clang-format on
inline constexpr int kPwOps = static_cast<int>(PwOp::clamp) + 1;

// The kind of a register: f32 or i64.
enum class PwKind : uint8_t { real, integer };

}  // namespace yanrt
