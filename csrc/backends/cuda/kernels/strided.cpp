#include "backends/cuda/kernels/strided.h"

#include <limits>

#include "core/error.h"

namespace yanrt::cuda {
namespace {

CopyForm plain_form(size_t bytes) {
  switch (bytes) {
    case 1: return CopyForm::b1;
    case 2: return CopyForm::b2;
    case 4: return CopyForm::b4;
    case 8: return CopyForm::b8;
    default: return CopyForm::b16;
  }
}

}  // namespace

uint32_t checked_count(const OpNode& op, int64_t numel) {
  if (numel > std::numeric_limits<int32_t>::max())
    throw Error(ErrorKind::unsupported, std::string(op.def->name) + " (" + op.source + ") has " +
                                            std::to_string(numel) + " elements; the CUDA kernels count to 2^31");
  return static_cast<uint32_t>(numel);
}

StridedCopy::StridedCopy(const OpNode& op, const TensorDesc& from, const TensorDesc& to, size_t alignment) {
  args_.numel = checked_count(op, to.numel());
  merge(from, to);
  if (from.dtype == to.dtype) {
    widen(size_of(to.dtype), alignment);
  } else if (from.dtype == DType::f32 && to.dtype == DType::bf16) {
    form_ = CopyForm::f32_to_bf16;
  } else if (from.dtype == DType::bf16 && to.dtype == DType::f32) {
    form_ = CopyForm::bf16_to_f32;
  } else {
    throw Error(ErrorKind::unsupported, std::string(op.def->name) + " (" + op.source + ") cannot turn " +
                                            std::string(name_of(from.dtype)) + " into " +
                                            std::string(name_of(to.dtype)));
  }
}

void StridedCopy::merge(const TensorDesc& from, const TensorDesc& to) {
  int& rank = args_.rank;
  for (int i = 0; i < to.shape.rank(); ++i) {
    if (to.shape[i] == 1) continue;
    const auto extent = static_cast<uint32_t>(to.shape[i]);
    const bool continues = rank > 0 && args_.x_strides[rank - 1] == extent * from.strides[i] &&
                           args_.y_strides[rank - 1] == extent * to.strides[i];
    if (!continues) args_.shape[rank++] = 1;
    args_.shape[rank - 1] *= extent;
    args_.x_strides[rank - 1] = from.strides[i];
    args_.y_strides[rank - 1] = to.strides[i];
  }
}

// Turns neighbouring elements into one unit of up to 16 bytes, where all strides and both addresses allow it.
void StridedCopy::widen(size_t element, size_t alignment) {
  const int last = args_.rank - 1;
  size_t unit = element;
  const auto divides = [&](size_t bytes) {
    const auto per_unit = static_cast<int64_t>(bytes / element);
    if (last < 0 || args_.x_strides[last] != 1 || args_.y_strides[last] != 1) return false;
    bool ok = alignment % bytes == 0 && args_.shape[last] % per_unit == 0;
    for (int i = 0; i < last; ++i) ok = ok && args_.x_strides[i] % per_unit == 0 && args_.y_strides[i] % per_unit == 0;
    return ok;
  };
  while (unit < 16 && divides(2 * unit)) unit *= 2;
  const auto per_unit = static_cast<uint32_t>(unit / element);
  form_ = plain_form(unit);
  args_.numel /= per_unit;
  if (last >= 0) args_.shape[last] /= per_unit;
  for (int i = 0; i < last; ++i) {
    args_.x_strides[i] /= per_unit;
    args_.y_strides[i] /= per_unit;
  }
}

void StridedCopy::launch(const std::byte* from, std::byte* to, cudaStream_t stream) const {
  if (args_.numel == 0) return;
  CopyArgs args = args_;
  args.x = from;
  args.y = to;
  check(launch_copy(form_, args, stream), "launch of copy");
}

}  // namespace yanrt::cuda
