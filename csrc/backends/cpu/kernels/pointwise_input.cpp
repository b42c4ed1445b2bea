#include "backends/cpu/kernels/pointwise_input.h"

#include <algorithm>
#include <cstddef>

namespace yanrt::cpu {
namespace {

PointwiseLoad load_for(DType dtype, const PointwiseLoops& loops) {
  switch (dtype) {
    case DType::f32: return loops.load_f32;
    case DType::bf16: return loops.load_bf16;
    case DType::i64: return loops.load_i64;
    case DType::i32: return loops.load_i32;
    case DType::u8: return loops.load_u8;
    default: return loops.load_bool;
  }
}

}  // namespace

PwInput::PwInput(const TensorDesc& desc, const Dims& out, const PointwiseLoops& loops)
    : load_(load_for(desc.dtype, loops)),
      size_(static_cast<int64_t>(size_of(desc.dtype))),
      register_size_(is_floating(desc.dtype) ? sizeof(float) : sizeof(int64_t)),
      in_place_(desc.dtype == DType::f32 || desc.dtype == DType::i64) {
  const int missing = out.rank() - desc.shape.rank();
  for (int i = 0; i < out.rank(); ++i) {
    if (out[i] == 1) continue;
    const bool broadcast = i < missing || desc.shape[i - missing] == 1;
    const int64_t stride = broadcast ? 0 : desc.strides[i - missing];
    if (stride != 0) constant_ = false;
    const int last = shape_.rank() - 1;
    if (last >= 0 && strides_[last] == stride * out[i]) {
      shape_[last] *= out[i];
      strides_[last] = stride;
    } else {
      shape_.push_back(out[i]);
      strides_.push_back(stride);
    }
  }
  if (shape_.rank() == 0) {  // one element
    shape_ = {1};
    strides_ = {0};
  }
}

std::byte* PwInput::fetch(std::byte* x, int64_t begin, int64_t n, std::byte* block) const {
  const int inner = shape_.rank() - 1;
  int64_t index[kMaxRank] = {};
  int64_t offset = 0, rest = begin;  // offset: of the current row's first element
  for (int i = inner; i >= 0; --i) {
    index[i] = rest % shape_[i];
    rest /= shape_[i];
    if (i != inner) offset += index[i] * strides_[i];
  }
  const int64_t stride = strides_[inner];
  if (in_place_ && stride == 1 && index[inner] + n <= shape_[inner]) return x + (offset + index[inner]) * size_;
  for (int64_t done = 0; done < n;) {
    const int64_t count = std::min(shape_[inner] - index[inner], n - done);
    load_(block + done * register_size_, x + (offset + index[inner] * stride) * size_, stride, count);
    done += count;
    index[inner] = 0;
    for (int i = inner - 1; i >= 0; --i) {
      offset += strides_[i];
      if (++index[i] < shape_[i]) break;
      offset -= index[i] * strides_[i];
      index[i] = 0;
    }
  }
  return block;
}

}  // namespace yanrt::cpu
