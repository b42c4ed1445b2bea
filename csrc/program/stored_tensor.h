#pragma once

#include <cstddef>

#include "program/program.h"

namespace yanrt {

// Copies a tensor of the file to `out` in the type the program sees it in: f32 for bf16 and f8e4m3 (times its scales),
// else as stored. `out` holds shape.numel() elements of visible_dtype(tensor.dtype).
void read_tensor(const Package& package, const StoredTensor& tensor, std::byte* out);

constexpr DType visible_dtype(DType stored) { return is_floating(stored) ? DType::f32 : stored; }

}  // namespace yanrt
