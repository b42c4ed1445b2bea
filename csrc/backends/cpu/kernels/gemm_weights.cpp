#include "backends/cpu/kernels/gemm_weights.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "backends/cpu/kernels/rounding.h"
#include "core/bf16.h"
#include "core/error.h"

namespace yanrt::cpu {
namespace {

constexpr float kLargestI8 = 127.0f, kLargestF8 = 448.0f;

template <class T>
void put(std::byte* to, int64_t at, T value) {
  std::memcpy(to + at * static_cast<int64_t>(sizeof(T)), &value, sizeof(T));
}
template <class T>
T get(const std::byte* from, int64_t at) {
  T value;
  std::memcpy(&value, from + at * static_cast<int64_t>(sizeof(T)), sizeof(T));
  return value;
}

// The output channels of a weight, a whole one at a time, as codes of a tile's `stored` type.
class Channels {
 public:
  Channels(const Constant& weight, const float* stored_scales, Element element, int64_t k)
      : weight_(weight), values_(*weight.tensor), scales_(stored_scales), element_(element), k_(k) {}

  // Are these codes the stored ones, or numbers that need no scale of their own?
  bool keeps_scales() const {
    return element_ == Element::f32 || element_ == Element::bf16 ||
           (element_ == Element::f8 && weight_.tensor->dtype == DType::f8e4m3);
  }

  // Of a channel that is quantised here. `row`: room for its k values.
  float scale(int64_t channel, float* row) const {
    scaled_values(channel, row);
    uint32_t largest_bits = 0;  // magnitudes order as their bits do, with infinity and NaN above all numbers
    for (int64_t p = 0; p < k_; ++p)
      largest_bits = std::max(largest_bits, std::bit_cast<uint32_t>(row[p]) & kMagnitude);
    const auto largest = std::bit_cast<float>(largest_bits);
    if (!(largest <= std::numeric_limits<float>::max()))
      throw Error(ErrorKind::unsupported, "weight '" + weight_.tensor->name + "' holds an infinity or NaN in channel " +
                                              std::to_string(channel) + "; it cannot be quantised: use fp32 or bf16");
    const float scale = largest / (element_ == Element::i8 ? kLargestI8 : kLargestF8);
    return scale > 0 ? scale : 1.0f;
  }

  // The k codes of a channel. `row`: room for its k values.
  void write(int64_t channel, float scale, float* row, std::byte* codes) const {
    if (element_ == Element::f32) return values_.read(channel * k_, k_, reinterpret_cast<float*>(codes));
    if (element_ == Element::f8 && keeps_scales()) return write_stored(channel, codes);
    if (element_ == Element::bf16) {
      values_.read(channel * k_, k_, row);
      for (int64_t p = 0; p < k_; ++p) put(codes, p, f32_to_bf16(row[p]));
      return;
    }
    scaled_values(channel, row);
    if (element_ == Element::f8)
      for (int64_t p = 0; p < k_; ++p) put(codes, p, f32_to_f8e4m3(row[p] / scale));
    else
      for (int64_t p = 0; p < k_; ++p) put(codes, p, nearest(row[p] / scale));
  }

 private:
  static constexpr uint32_t kMagnitude = 0x7fffffff;

  static int8_t nearest(float x) {  // ties to even: 1.5 * 2^23 pushes the fraction out
    return static_cast<int8_t>(std::bit_cast<uint32_t>(x + 12582912.0f) & 0xff);
  }
  void scaled_values(int64_t channel, float* row) const {
    values_.read(channel * k_, k_, row);
    if (!scales_) return;
    for (int64_t p = 0; p < k_; ++p) row[p] *= scales_[channel];
  }
  void write_stored(int64_t channel, std::byte* codes) const {
    const std::byte* stored = weight_.tensor->data.data() + channel * k_;
    if (std::any_of(stored, stored + k_, [](std::byte code) { return (code & std::byte{0x7f}) == std::byte{0x7f}; }))
      throw Error(ErrorKind::unsupported, "weight '" + weight_.tensor->name + "' holds a NaN; use fp32 or bf16");
    std::memcpy(codes, stored, static_cast<size_t>(k_));
  }

  const Constant& weight_;
  WeightReader values_;
  const float* scales_;
  Element element_;
  int64_t k_;
};

// panel[unit][columns] = rows[column][unit]: writes the panel from its begin to its end.
template <class Unit>
void interleave(const std::byte* rows, int64_t units, int64_t channels, int64_t columns, std::byte* panel) {
  for (int64_t u = 0; u < units; ++u)
    for (int64_t c = 0; c < channels; ++c) put(panel, u * columns + c, get<Unit>(rows, c * units + u));
}

void interleave(int64_t unit_bytes, const std::byte* rows, int64_t units, int64_t channels, int64_t columns,
                std::byte* panel) {
  switch (unit_bytes) {
    case 1: return interleave<uint8_t>(rows, units, channels, columns, panel);
    case 2: return interleave<uint16_t>(rows, units, channels, columns, panel);
    case 8: return interleave<uint64_t>(rows, units, channels, columns, panel);
    default: return interleave<uint32_t>(rows, units, channels, columns, panel);
  }
}

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

void WeightReader::read(int64_t first, int64_t count, float* out) const {
  if (dtype_ == DType::f8e4m3)
    for (int64_t i = 0; i < count; ++i) out[i] = f8_values_[static_cast<uint8_t>(data_[first + i])];
  else if (dtype_ == DType::bf16)
    for (int64_t i = 0; i < count; ++i) out[i] = bf16_to_f32(get<uint16_t>(data_, first + i));
  else
    std::memcpy(out, data_ + 4 * first, 4 * static_cast<size_t>(count));
}

const float* stored_scales(const Constant& weight, WeightCache& cache) {
  if (!weight.scale) return nullptr;
  const std::span<const std::byte> data = weight.scale->data;
  return reinterpret_cast<const float*>(cache.get(weight.scale->name, "scale", data.size(),
                                                  [&](std::byte* to) { std::memcpy(to, data.data(), data.size()); }));
}

Panels::Panels(const Constant& weight, WeightCache& cache, const TileLoop& tile, int64_t groups, int64_t n, int64_t k)
    : per_group_(ceil_div(n, tile.columns)),
      panel_bytes_(static_cast<size_t>(round_up(k, tile.depth) * tile.columns) * size_of(tile.stored)),
      scales_(stored_scales(weight, cache)) {
  const int64_t channels = groups * n;
  const std::string& name = weight.tensor->name;
  const std::string element = name_of(tile.stored);
  const Channels source(weight, scales_, tile.stored, k);
  std::vector<float> row(static_cast<size_t>(k));
  if (!source.keeps_scales())
    scales_ = reinterpret_cast<const float*>(
        cache.get(name, "scale." + element, static_cast<size_t>(channels) * sizeof(float), [&](std::byte* to) {
          for (int64_t c = 0; c < channels; ++c) put(to, c, source.scale(c, row.data()));
        }));
  const std::string form = element + "." + std::to_string(tile.columns) + "x" + std::to_string(tile.group) + "x" +
                           std::to_string(tile.depth) + "." + std::to_string(groups);
  const int64_t panels = groups * per_group_, units = round_up(k, tile.depth) / tile.group;
  const int64_t unit_bytes = tile.group * static_cast<int64_t>(size_of(tile.stored));
  const auto channels_of = [&](int64_t panel) {
    return std::min<int64_t>(tile.columns, n - panel % per_group_ * tile.columns);
  };
  const auto first_of = [&](int64_t panel) { return panel / per_group_ * n + panel % per_group_ * tile.columns; };
  data_ = cache.get(name, "panels." + form, static_cast<size_t>(panels) * panel_bytes_, [&](std::byte* to) {
    std::vector<std::byte> rows(panel_bytes_);  // codes of a panel's channels; the end of each stays zero
    for (int64_t panel = 0; panel < panels; ++panel, to += panel_bytes_) {
      for (int64_t i = 0; i < channels_of(panel); ++i) {
        const int64_t c = first_of(panel) + i;
        source.write(c, scales_ ? scales_[c] : 1.0f, row.data(), rows.data() + i * units * unit_bytes);
      }
      interleave(unit_bytes, rows.data(), units, channels_of(panel), tile.columns, to);
    }
  });
  if (tile.a != Element::u8) return;
  offsets_ = reinterpret_cast<const int32_t*>(
      cache.get(name, "offset." + form, static_cast<size_t>(channels) * sizeof(int32_t), [&](std::byte* to) {
        for (int64_t panel = 0; panel < panels; ++panel) {
          const std::byte* codes = data_ + static_cast<size_t>(panel) * panel_bytes_;
          std::vector<int32_t> sums(static_cast<size_t>(tile.columns));
          for (int64_t u = 0; u < units; ++u)
            for (size_t c = 0; c < sums.size(); ++c)
              for (int r = 0; r < tile.group; ++r) sums[c] += static_cast<int8_t>(*codes++);
          for (int64_t i = 0; i < channels_of(panel); ++i)
            put(to, first_of(panel) + i, -128 * sums[static_cast<size_t>(i)]);
        }
      }));
}

}  // namespace yanrt::cpu
