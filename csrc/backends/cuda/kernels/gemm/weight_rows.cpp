#include "backends/cuda/kernels/gemm/weight_rows.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "backends/cuda/quantised_values.h"
#include "core/bf16.h"
#include "core/error.h"

namespace yanrt::cuda {
namespace {

// Calls `store(channel, index into the padded channel, value)` for every element.
template <class Store>
void for_each_weight(const WeightReader& read, int64_t channels, int64_t taps, int64_t k, int64_t padded_k,
                     const Store& store) {
  for (int64_t channel = 0; channel < channels; ++channel)
    for (int64_t tap = 0; tap < taps; ++tap)
      for (int64_t i = 0; i < k; ++i) store(channel, tap * padded_k + i, read[(channel * taps + tap) * k + i]);
}

// One scale a channel, the largest magnitude to 448: the stored scale times what its codes leave.
std::vector<float> e4m3_scales(const WeightReader& read, int64_t channels, int64_t per_channel) {
  std::vector<float> scales(static_cast<size_t>(channels));
  for (int64_t channel = 0; channel < channels; ++channel) {
    float largest = 0;
    for (int64_t i = 0; i < per_channel; ++i) largest = std::max(largest, std::fabs(read[channel * per_channel + i]));
    scales[static_cast<size_t>(channel)] = std::max(largest, 1e-12f) / kE4m3Largest;
  }
  return scales;
}

}  // namespace

WeightReader::WeightReader(const StoredTensor& tensor) : dtype_(tensor.dtype), data_(tensor.data.data()) {
  if (!is_floating(dtype_))
    throw Error(ErrorKind::unsupported, "weight '" + tensor.name + "' is stored as " + std::string(name_of(dtype_)) +
                                            "; the CUDA kernels take f32, bf16 and f8e4m3");
}

float WeightReader::operator[](int64_t i) const {
  const auto at = static_cast<size_t>(i);
  if (dtype_ == DType::f8e4m3) return f8e4m3_to_f32(static_cast<uint8_t>(data_[at]));
  if (dtype_ == DType::bf16) {
    uint16_t bits;
    std::memcpy(&bits, data_ + at * sizeof(bits), sizeof(bits));
    return bf16_to_f32(bits);
  }
  float value;
  std::memcpy(&value, data_ + at * sizeof(value), sizeof(value));
  return value;
}

const float* stored_scales(const Constant& weight, Weights& weights) {
  if (!weight.scale) return nullptr;
  const StoredTensor& scale = *weight.scale;
  return reinterpret_cast<const float*>(weights.get(scale.name, "dense", scale.data.size(), [&](std::byte* out) {
    std::memcpy(out, scale.data.data(), scale.data.size());
  }));
}

WeightRows pack_weight_rows(const Constant& weight, Weights& weights, DType type, int64_t channels, int64_t taps,
                            int64_t k) {
  const WeightReader read(*weight.tensor);
  const auto per_chunk = static_cast<int64_t>(16 / size_of(type));
  const int64_t padded_k = type == DType::f32 ? k : (k + per_chunk - 1) / per_chunk * per_chunk;
  const int64_t row = taps * padded_k;
  const size_t bytes = static_cast<size_t>(channels * row) * size_of(type);
  const std::string form = "rows." + std::string(name_of(type)) + "." + std::to_string(taps);
  const std::string& name = weight.tensor->name;
  if (type == DType::f8e4m3 && weight.tensor->dtype != DType::f8e4m3) {
    const std::vector<float> scales = e4m3_scales(read, channels, taps * k);
    const std::byte* data = weights.get(name, form, bytes, [&](std::byte* out) {
      for_each_weight(read, channels, taps, k, padded_k, [&](int64_t channel, int64_t i, float value) {
        out[channel * row + i] = static_cast<std::byte>(f32_to_f8e4m3(value / scales[static_cast<size_t>(channel)]));
      });
    });
    const std::byte* scale = weights.get(name, "scales.e4m3", scales.size() * sizeof(float), [&](std::byte* out) {
      std::memcpy(out, scales.data(), scales.size() * sizeof(float));
    });
    return {data, reinterpret_cast<const float*>(scale)};
  }
  const std::byte* data = weights.get(name, form, bytes, [&](std::byte* out) {
    for_each_weight(read, channels, taps, k, padded_k, [&](int64_t channel, int64_t i, float value) {
      const size_t at = static_cast<size_t>(channel * row + i);
      if (type == DType::bf16)
        reinterpret_cast<uint16_t*>(out)[at] = f32_to_bf16(value);
      else if (type == DType::f32)
        reinterpret_cast<float*>(out)[at] = value;
      else
        out[at] = static_cast<std::byte>(f32_to_f8e4m3(value));
    });
  });
  return {data, stored_scales(weight, weights)};
}

}  // namespace yanrt::cuda
