// The loops of `pointwise`: one over a block of registers for each instruction, load and store.
#pragma once

#include <cstdint>

#include "program/pointwise_op.h"

namespace yanrt::cpu {

// y[i] = instruction(a[i], b[i], c[i]). Unused arguments are ignored; y overlaps none.
using PointwiseLoop = void (*)(void* y, const void* a, const void* b, const void* c, int64_t n);
// y[i] = x[i * stride], converted to the register's type.
using PointwiseLoad = void (*)(void* y, const void* x, int64_t stride, int64_t n);
// y[i] = register a[i], converted to the output's type.
using PointwiseStore = void (*)(void* y, const void* a, int64_t n);

struct PointwiseLoops {
  // By instruction and kind of its last argument; null where docs/pointwise.md has none.
  PointwiseLoop real[kPwOps];
  PointwiseLoop integer[kPwOps];
  PointwiseLoad load_f32, load_bf16, load_i64, load_i32, load_u8, load_bool;
  PointwiseStore real_to_f32, real_to_bf16, real_to_u8, int_to_i64, int_to_i32, int_to_u8, int_to_bool;
};

}  // namespace yanrt::cpu
