#include "runtime/view.h"

namespace yanrt {
namespace {

// Merges dimensions that are contiguous with each other into runs, then splits the runs into the new extents.
std::optional<Dims> reshaped_strides(const TensorDesc& input, const Dims& shape) {
  Dims extents, strides;  // runs of the input, extents of 1 left out
  for (int i = 0; i < input.shape.rank(); ++i) {
    if (input.shape[i] == 1) continue;
    const int last = extents.rank() - 1;
    if (last >= 0 && strides[last] == input.shape[i] * input.strides[i]) {
      extents[last] *= input.shape[i];
      strides[last] = input.strides[i];
    } else {
      extents.push_back(input.shape[i]);
      strides.push_back(input.strides[i]);
    }
  }
  Dims out = shape;
  int run = extents.rank() - 1;
  int64_t left = run >= 0 ? extents[run] : 1;
  int64_t stride = run >= 0 ? strides[run] : 1;
  for (int i = shape.rank() - 1; i >= 0; --i) {
    if (left == 1 && shape[i] != 1) {
      if (--run < 0) return std::nullopt;
      left = extents[run];
      stride = strides[run];
    }
    if (left % shape[i] != 0) return std::nullopt;
    out[i] = stride;
    left /= shape[i];
    stride *= shape[i];
  }
  return out;
}

TensorDesc permuted(const TensorDesc& input, const std::vector<int64_t>& dims) {
  TensorDesc out = input;
  for (size_t i = 0; i < dims.size(); ++i) {
    out.shape[static_cast<int>(i)] = input.shape[static_cast<int>(dims[i])];
    out.strides[static_cast<int>(i)] = input.strides[static_cast<int>(dims[i])];
  }
  return out;
}

TensorDesc expanded(const TensorDesc& input, const Dims& shape) {
  TensorDesc out{input.dtype, shape, shape};
  const int added = shape.rank() - input.shape.rank();
  for (int i = 0; i < shape.rank(); ++i) {
    const bool broadcast = i < added || (input.shape[i - added] == 1 && shape[i] != 1);
    out.strides[i] = broadcast ? 0 : input.strides[i - added];
  }
  return out;
}

}  // namespace

std::optional<View> apply_view(const OpNode& op, const TensorDesc& input, const Dims& shape) {
  const std::string_view name = op.def->name;
  if (name == "permute") return View{permuted(input, op.attrs.ints("dims")), 0};
  if (name == "expand") return View{expanded(input, shape), 0};
  if (name == "slice") {
    const int dim = static_cast<int>(op.attrs.integer("dim"));
    View view{{input.dtype, shape, input.strides}, op.attrs.integer("start") * input.strides[dim]};
    view.desc.strides[dim] *= op.attrs.integer("step");
    return view;
  }
  const std::optional<Dims> strides = reshaped_strides(input, shape);
  if (!strides) return std::nullopt;
  return View{{input.dtype, shape, *strides}, 0};
}

}  // namespace yanrt
