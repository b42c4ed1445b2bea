// bfloat16 and E4M3 as plain integers: conversions for code off the hot path.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace yanrt {

inline float bf16_to_f32(uint16_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }

// To nearest, ties to even; NaN stays NaN.
inline uint16_t f32_to_bf16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if (std::isnan(value)) return static_cast<uint16_t>((bits >> 16) | 0x40);
  return static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

// OCP E4M3 ("e4m3fn"): no infinity, 0x7f and 0xff are NaN, largest 448. Exact.
inline float f8e4m3_to_f32(uint8_t bits) {
  const float sign = bits & 0x80 ? -1.0f : 1.0f;
  const int exponent = (bits >> 3) & 0xf, mantissa = bits & 7;
  if (exponent == 0xf && mantissa == 7) return std::numeric_limits<float>::quiet_NaN();
  if (exponent == 0) return sign * std::ldexp(static_cast<float>(mantissa), -9);
  return sign * std::ldexp(static_cast<float>(8 + mantissa), exponent - 10);
}

// To nearest, ties to even; what is beyond 448 becomes 448. Not for NaN.
inline uint8_t f32_to_f8e4m3(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value), magnitude = bits & 0x7fffffff;
  const auto sign = static_cast<uint8_t>(bits >> 24 & 0x80);
  if (magnitude >= 0x43e00000) return sign | 0x7e;  // 448
  if (magnitude < 0x3c800000)                       // 2^-6: subnormals, in steps of 2^-9; adding 2^23 rounds
    return sign | (std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude) * 512.0f + 8388608.0f) & 0xf);
  const uint32_t rounded = magnitude + 0x7ffff + ((magnitude >> 20) & 1);  // may carry into the exponent
  return static_cast<uint8_t>(sign | ((rounded >> 20) - (120u << 3)));
}

}  // namespace yanrt
