#include "backends/cpu/kernels/gemm_weights.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "core/bf16.h"
#include "core/error.h"

namespace yanrt::cpu {
namespace {

constexpr float kLargestI8 = 127.0f, kLargestF8 = 448.0f;

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

// The output channels of a weight as codes of a tile's `stored` type.
class Channels {
 public:
  Channels(const Constant& weight, const float* stored_scales, Element element, int64_t k)
      : weight_(weight), values_(*weight.tensor), scales_(stored_scales), element_(element), k_(k) {}

  // Are these codes the stored ones, or numbers that need no scale of their own?
  bool keeps_scales() const {
    return element_ == Element::f32 || element_ == Element::bf16 ||
           (element_ == Element::f8 && weight_.tensor->dtype == DType::f8e4m3);
  }

  // Of a channel that is quantised here.
  float scale(int64_t channel) const {
    float largest = 0;
    for (int64_t p = 0; p < k_; ++p) {
      const float magnitude = std::fabs(value(channel, p));
      if (!(magnitude <= std::numeric_limits<float>::max()))
        throw Error(ErrorKind::unsupported, "weight '" + weight_.tensor->name +
                                                "' holds an infinity or NaN in channel " + std::to_string(channel) +
                                                "; it cannot be quantised: use fp32 or bf16");
      largest = std::max(largest, magnitude);
    }
    const float scale = largest / (element_ == Element::i8 ? kLargestI8 : kLargestF8);
    return scale > 0 ? scale : 1.0f;
  }

  void write(int64_t channel, int64_t p, float scale, std::byte* panel, int64_t at) const {
    const int64_t i = channel * k_ + p;
    switch (element_) {
      case Element::f32: return put(panel, at, values_[i]);
      case Element::bf16: return put(panel, at, f32_to_bf16(values_[i]));
      case Element::f8:
        return put(panel, at, keeps_scales() ? finite_code(i) : f32_to_f8e4m3(value(channel, p) / scale));
      default: return put(panel, at, nearest(value(channel, p) / scale));
    }
  }

 private:
  static int8_t nearest(float x) {  // ties to even: 1.5 * 2^23 pushes the fraction out
    return static_cast<int8_t>(std::bit_cast<uint32_t>(x + 12582912.0f) & 0xff);
  }
  template <class T>
  static void put(std::byte* panel, int64_t at, T value) {
    std::memcpy(panel + at * static_cast<int64_t>(sizeof(T)), &value, sizeof(T));
  }
  float value(int64_t channel, int64_t p) const {
    const float value = values_[channel * k_ + p];
    return scales_ ? value * scales_[channel] : value;
  }
  uint8_t finite_code(int64_t i) const {
    const auto code = static_cast<uint8_t>(weight_.tensor->data[static_cast<size_t>(i)]);
    if ((code & 0x7f) == 0x7f)
      throw Error(ErrorKind::unsupported, "weight '" + weight_.tensor->name + "' holds a NaN; use fp32 or bf16");
    return code;
  }

  const Constant& weight_;
  WeightReader values_;
  const float* scales_;
  Element element_;
  int64_t k_;
};

const char* name_of(Element element) {
  switch (element) {
    case Element::f32: return "f32";
    case Element::bf16: return "bf16";
    case Element::f8: return "f8";
    default: return "i8";
  }
}

}  // namespace

WeightReader::WeightReader(const StoredTensor& tensor) : dtype_(tensor.dtype), data_(tensor.data.data()) {
  if (!is_floating(dtype_))
    throw Error(ErrorKind::unsupported, "weight '" + tensor.name + "' is " + std::string(yanrt::name_of(dtype_)) +
                                            "; the CPU backend takes f32, bf16 and f8e4m3");
  if (dtype_ != DType::f8e4m3) return;
  for (int bits = 0; bits < 256; ++bits) f8_values_.push_back(f8e4m3_to_f32(static_cast<uint8_t>(bits)));
}

float WeightReader::operator[](int64_t i) const {
  if (dtype_ == DType::f8e4m3) return f8_values_[static_cast<uint8_t>(data_[i])];
  if (dtype_ == DType::bf16) {
    uint16_t bits;
    std::memcpy(&bits, data_ + 2 * i, sizeof(bits));
    return bf16_to_f32(bits);
  }
  float value;
  std::memcpy(&value, data_ + 4 * i, sizeof(value));
  return value;
}

const float* stored_scales(const Constant& weight, WeightCache& cache) {
  if (!weight.scale) return nullptr;
  const std::span<const std::byte> data = weight.scale->data;
  return reinterpret_cast<const float*>(cache.get(weight.scale->name, "scale", data.size(),
                                                  [&](std::byte* to) { std::memcpy(to, data.data(), data.size()); }));
}

Panels::Panels(const Constant& weight, WeightCache& cache, const TileLoop& tile, int64_t groups, int64_t n, int64_t k)
    : per_group_(ceil_div(n, tile.columns)),
      panel_bytes_(static_cast<size_t>(ceil_div(k, tile.depth) * tile.depth * tile.columns) * size_of(tile.stored)),
      scales_(stored_scales(weight, cache)) {
  const int64_t channels = groups * n;
  const std::string& name = weight.tensor->name;
  const std::string element = name_of(tile.stored);
  const Channels source(weight, scales_, tile.stored, k);
  if (!source.keeps_scales())
    scales_ = reinterpret_cast<const float*>(
        cache.get(name, "scale." + element, static_cast<size_t>(channels) * sizeof(float), [&](std::byte* to) {
          for (int64_t c = 0; c < channels; ++c) reinterpret_cast<float*>(to)[c] = source.scale(c);
        }));
  const std::string form = element + "." + std::to_string(tile.columns) + "x" + std::to_string(tile.group) + "x" +
                           std::to_string(tile.depth) + "." + std::to_string(groups);
  const size_t bytes = static_cast<size_t>(groups * per_group_) * panel_bytes_;
  const auto place = [&](int64_t c) { return static_cast<size_t>(c / n * per_group_ + c % n / tile.columns); };
  data_ = cache.get(name, "panels." + form, bytes, [&](std::byte* to) {
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t p = 0; p < k; ++p)
        source.write(c, p, scales_ ? scales_[c] : 1.0f, to + place(c) * panel_bytes_,
                     (p / tile.group * tile.columns + c % n % tile.columns) * tile.group + p % tile.group);
  });
  if (tile.a != Element::u8) return;
  offsets_ = reinterpret_cast<const int32_t*>(
      cache.get(name, "offset." + form, static_cast<size_t>(channels) * sizeof(int32_t), [&](std::byte* to) {
        for (int64_t c = 0; c < channels; ++c) {
          const auto* panel = reinterpret_cast<const int8_t*>(data_ + place(c) * panel_bytes_);
          int32_t sum = 0;
          for (int64_t p = 0; p < k; ++p)
            sum += panel[(p / tile.group * tile.columns + c % n % tile.columns) * tile.group + p % tile.group];
          reinterpret_cast<int32_t*>(to)[c] = -128 * sum;
        }
      }));
}

}  // namespace yanrt::cpu
