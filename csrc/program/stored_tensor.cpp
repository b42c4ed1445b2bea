#include "program/stored_tensor.h"

#include <cstring>

#include "core/bf16.h"

namespace yanrt {
namespace {

// The file promises no alignment.
template <class T>
T load(const std::byte* data, int64_t index) {
  T value;
  std::memcpy(&value, data + static_cast<size_t>(index) * sizeof(T), sizeof(T));
  return value;
}

}  // namespace

void read_tensor(const Package& package, const StoredTensor& tensor, std::byte* out) {
  const std::byte* data = tensor.data.data();
  const int64_t count = tensor.shape.numel();
  auto* floats = reinterpret_cast<float*>(out);
  if (tensor.dtype == DType::bf16) {
    for (int64_t i = 0; i < count; ++i) floats[i] = bf16_to_f32(load<uint16_t>(data, i));
  } else if (tensor.dtype == DType::f8e4m3) {
    const std::byte* scales = package.tensors.at(tensor.scale).data.data();
    const int64_t inner = count / tensor.shape[0];
    for (int64_t i = 0; i < count; ++i)
      floats[i] = load<float>(scales, i / inner) * f8e4m3_to_f32(static_cast<uint8_t>(data[i]));
  } else {
    std::memcpy(out, data, tensor.data.size());
  }
}

}  // namespace yanrt
