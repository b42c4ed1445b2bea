#include "backends/cpu/kernels/ring_codes.h"

#include <array>
#include <cmath>

#include "core/bf16.h"

namespace yanrt::cpu {
namespace {

constexpr uint8_t kNan = 0x7f;

const std::array<uint16_t, 256> kValues = [] {
  std::array<uint16_t, 256> values{};
  for (size_t code = 0; code < values.size(); ++code)
    values[code] = f32_to_bf16(f8e4m3_to_f32(static_cast<uint8_t>(code)));
  return values;
}();

uint8_t code_of(const std::byte* x, DType type, int64_t i) {
  const float value =
      type == DType::bf16 ? bf16_to_f32(reinterpret_cast<const uint16_t*>(x)[i]) : reinterpret_cast<const float*>(x)[i];
  return std::isnan(value) ? kNan : f32_to_f8e4m3(value);
}

}  // namespace

void widen_codes(const std::byte* codes, std::byte* bf16, int64_t n) noexcept {
  auto* to = reinterpret_cast<uint16_t*>(bf16);
  for (int64_t i = 0; i < n; ++i) to[i] = kValues[static_cast<uint8_t>(codes[i])];
}

void encode_row(const std::byte* x, DType type, std::byte* codes, int64_t n) noexcept {
  for (int64_t i = 0; i < n; ++i) codes[i] = static_cast<std::byte>(code_of(x, type, i));
}

void round_row(const std::byte* x, DType type, std::byte* bf16, int64_t n) noexcept {
  auto* to = reinterpret_cast<uint16_t*>(bf16);
  for (int64_t i = 0; i < n; ++i) to[i] = kValues[code_of(x, type, i)];
}

}  // namespace yanrt::cpu
