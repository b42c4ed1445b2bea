#include "backends/cpu/kernels/strided.h"

#include <algorithm>
#include <cstring>

#include "core/bf16.h"
#include "core/error.h"

namespace yanrt::cpu {
namespace {

struct F32ToBf16 {
  uint16_t operator()(float x) const { return f32_to_bf16(x); }
};
struct Bf16ToF32 {
  float operator()(uint16_t x) const { return bf16_to_f32(x); }
};

template <class From, class To, class Convert>
void convert_row(const std::byte* from, int64_t from_stride, std::byte* to, int64_t to_stride, int64_t n) {
  const auto* source = reinterpret_cast<const From*>(from);
  auto* target = reinterpret_cast<To*>(to);
  for (int64_t i = 0; i < n; ++i) target[i * to_stride] = Convert()(source[i * from_stride]);
}

// Same dtype: only its size matters.
template <class T>
void copy_row(const std::byte* from, int64_t from_stride, std::byte* to, int64_t to_stride, int64_t n) {
  if (from_stride == 1 && to_stride == 1) {
    std::memcpy(to, from, static_cast<size_t>(n) * sizeof(T));
    return;
  }
  const auto* source = reinterpret_cast<const T*>(from);
  auto* target = reinterpret_cast<T*>(to);
  for (int64_t i = 0; i < n; ++i) target[i * to_stride] = source[i * from_stride];
}

}  // namespace

StridedCopy::StridedCopy(const TensorDesc& from, const TensorDesc& to)
    : from_size_(size_of(from.dtype)), to_size_(size_of(to.dtype)), numel_(to.numel()) {
  if (from.dtype == to.dtype) {
    row_ = from_size_ == 1   ? copy_row<uint8_t>
           : from_size_ == 2 ? copy_row<uint16_t>
           : from_size_ == 4 ? copy_row<uint32_t>
                             : copy_row<uint64_t>;
  } else if (from.dtype == DType::f32 && to.dtype == DType::bf16) {
    row_ = convert_row<float, uint16_t, F32ToBf16>;
  } else if (from.dtype == DType::bf16 && to.dtype == DType::f32) {
    row_ = convert_row<uint16_t, float, Bf16ToF32>;
  } else {
    throw Error(ErrorKind::unsupported, "copy: no conversion from " + std::string(name_of(from.dtype)) + " to " +
                                            std::string(name_of(to.dtype)) + "; convert with pointwise");
  }
  for (int i = 0; i < to.shape.rank(); ++i) {
    if (to.shape[i] == 1) continue;
    const int last = shape_.rank() - 1;
    if (last >= 0 && from_strides_[last] == from.strides[i] * to.shape[i] &&
        to_strides_[last] == to.strides[i] * to.shape[i]) {
      shape_[last] *= to.shape[i];
      from_strides_[last] = from.strides[i];
      to_strides_[last] = to.strides[i];
    } else {
      shape_.push_back(to.shape[i]);
      from_strides_.push_back(from.strides[i]);
      to_strides_.push_back(to.strides[i]);
    }
  }
  if (shape_.rank() == 0) {  // one element
    shape_ = {1};
    from_strides_ = to_strides_ = {1};
  }
}

void StridedCopy::run(const std::byte* from, std::byte* to, Range range) const {
  if (range.begin == range.end) return;
  const int inner = shape_.rank() - 1;
  int64_t index[kMaxRank] = {};
  int64_t from_offset = 0, to_offset = 0;  // of the current row's first element
  int64_t rest = range.begin;
  for (int i = inner; i >= 0; --i) {
    index[i] = rest % shape_[i];
    rest /= shape_[i];
    if (i == inner) continue;
    from_offset += index[i] * from_strides_[i];
    to_offset += index[i] * to_strides_[i];
  }
  for (int64_t done = range.begin; done < range.end;) {
    const int64_t first = index[inner], n = std::min(shape_[inner] - first, range.end - done);
    row_(from + (from_offset + first * from_strides_[inner]) * static_cast<int64_t>(from_size_), from_strides_[inner],
         to + (to_offset + first * to_strides_[inner]) * static_cast<int64_t>(to_size_), to_strides_[inner], n);
    done += n;
    index[inner] = 0;
    for (int i = inner - 1; i >= 0; --i) {
      from_offset += from_strides_[i];
      to_offset += to_strides_[i];
      if (++index[i] < shape_[i]) break;
      from_offset -= index[i] * from_strides_[i];
      to_offset -= index[i] * to_strides_[i];
      index[i] = 0;
    }
  }
}

}  // namespace yanrt::cpu
