// View ops as arithmetic on strides.
#pragma once

#include <optional>

#include "core/tensor.h"
#include "program/program.h"

namespace yanrt {

struct View {
  TensorDesc desc;
  int64_t offset = 0;  // elements from the viewed tensor's first one
};

// What a view op makes of `input`; nothing if these strides cannot express it (a reshape across a gap), in which case
// the input must be copied first. `shape` is the verified shape of the result.
std::optional<View> apply_view(const OpNode& op, const TensorDesc& input, const Dims& shape);

}  // namespace yanrt
