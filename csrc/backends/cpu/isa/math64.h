// Functions of f32 evaluated in double, where f32 arithmetic loses too much: log, pow, sin, cos. Like those of simd.h
// they have no branches and no calls, so a loop over them vectorises. The results, rounded to f32, are within 1 ulp.
#pragma once

#include "backends/cpu/isa/simd.h"

namespace yanrt::cpu::YANRT_ISA {

inline constexpr float kInfinity = __builtin_inff();
inline constexpr float kNaN = __builtin_nanf("");

// Of a float x > 0 (subnormal too; infinity gives some large number). x = m 2^e, m in [sqrt(1/2), sqrt(2)),
// log m = 2 (s + s^3/3 + s^5/5 + ...), s = (m - 1) / (m + 1), |s| < 0.172: the first term left out is below 1e-12.
YANRT_INLINE double log_positive(double x) {
  const uint64_t bits = __builtin_bit_cast(uint64_t, x);
  const uint64_t above = bits - 0x3fe6a09e667f3bcdull;  // distance from sqrt(1/2): its top bits count powers of 2
  const auto exponent = static_cast<int32_t>(static_cast<int64_t>(above) >> 52);
  const double m = __builtin_bit_cast(double, bits - (static_cast<uint64_t>(static_cast<int64_t>(exponent)) << 52));
  const double s = (m - 1.0) / (m + 1.0), z = s * s;
  double p = 1.0 / 15;
  p = p * z + 1.0 / 13;
  p = p * z + 1.0 / 11;
  p = p * z + 1.0 / 9;
  p = p * z + 1.0 / 7;
  p = p * z + 1.0 / 5;
  p = p * z + 1.0 / 3;
  p = p * z + 1.0;
  return exponent * 0.69314718055994530942 + 2.0 * s * p;
}

// e^x; |x| is cut at 200, beyond every float.
YANRT_INLINE double exp_wide(double x) {
  constexpr double kRound = 0x1.8p52;  // adding it rounds to an integer, kept in the low bits
  x = x > 200.0 ? 200.0 : x;
  x = x < -200.0 ? -200.0 : x;
  const double shifted = x * 1.44269504088896340736 + kRound;
  const double n = shifted - kRound;
  const double r = x - n * 0.69314718055994530942;  // |r| <= 0.347
  double p = 1.0 / 3628800;
  p = p * r + 1.0 / 362880;
  p = p * r + 1.0 / 40320;
  p = p * r + 1.0 / 5040;
  p = p * r + 1.0 / 720;
  p = p * r + 1.0 / 120;
  p = p * r + 1.0 / 24;
  p = p * r + 1.0 / 6;
  p = p * r + 0.5;
  p = p * r + 1.0;
  p = p * r + 1.0;
  const uint64_t scale = (__builtin_bit_cast(uint64_t, shifted) + 1023) << 52;
  return p * __builtin_bit_cast(double, scale);
}

YANRT_INLINE float log(float x) {
  float y = static_cast<float>(log_positive(x));
  y = x == kInfinity ? kInfinity : y;
  y = x == 0.0f ? -kInfinity : y;
  return x >= 0.0f ? y : kNaN;
}

// To nearest, ties to even; exact.
YANRT_INLINE float round(float x) {
  const float magic = with_sign_of(8388608.0f, x);  // 2^23: from here on every float is an integer
  return abs_of(x) < 8388608.0f ? with_sign_of((x + magic) - magic, x) : x;
}
YANRT_INLINE float floor(float x) {
  const float r = round(x);
  return r > x ? r - 1.0f : r;
}
YANRT_INLINE float ceil(float x) {
  const float r = round(x);
  return r < x ? r + 1.0f : r;
}

// C's pow, but for a negative zero and its sign.
YANRT_INLINE float pow(float x, float y) {
  const float magnitude = abs_of(x);
  double log_x = log_positive(magnitude);
  log_x = magnitude == 0.0f ? -static_cast<double>(kInfinity) : log_x;
  log_x = magnitude == kInfinity ? static_cast<double>(kInfinity) : log_x;
  const float power = static_cast<float>(exp_wide(y * log_x));
  const float half = 0.5f * y;
  const bool is_integer = floor(y) == y, is_odd = is_integer && floor(half) != half;
  float result = is_odd && x < 0.0f ? -power : power;
  result = x < 0.0f && !is_integer ? kNaN : result;
  result = x != x || y != y ? kNaN : result;
  return x == 1.0f || y == 0.0f ? 1.0f : result;
}

struct QuarterTurn {
  double rest;        // x - quadrant * pi / 2, |rest| <= pi / 4
  uint64_t quadrant;  // its last two bits count
};
YANRT_INLINE QuarterTurn quarter_turn(double x) {
  constexpr double kRound = 0x1.8p52;
  const double shifted = x * 0.63661977236758134308 + kRound;
  const double n = shifted - kRound;
  // pi / 2 in two parts: with one, the error would grow to 1e-16 |x| / |rest|.
  return {(x - n * 1.57079632679489661923) - n * 6.12323399573676588613e-17, __builtin_bit_cast(uint64_t, shifted)};
}

// Taylor series on |x| <= pi / 4; the first term left out is below 1e-10 of the result.
YANRT_INLINE double sine_series(double x) {
  const double z = x * x;
  double p = -1.0 / 39916800;
  p = p * z + 1.0 / 362880;
  p = p * z - 1.0 / 5040;
  p = p * z + 1.0 / 120;
  p = p * z - 1.0 / 6;
  return x + x * z * p;
}
YANRT_INLINE double cosine_series(double x) {
  const double z = x * x;
  double p = 1.0 / 479001600;
  p = p * z - 1.0 / 3628800;
  p = p * z + 1.0 / 40320;
  p = p * z - 1.0 / 720;
  p = p * z + 1.0 / 24;
  p = p * z - 0.5;
  return 1.0 + z * p;
}

// sin(x + shift * pi / 2), absolute error below 2^-24 for |x| < 2^26; NaN from there on.
YANRT_INLINE float sine_shifted(float x, uint64_t shift) {
  const QuarterTurn turn = quarter_turn(x);
  const uint64_t quadrant = turn.quadrant + shift;
  double y = quadrant & 1 ? cosine_series(turn.rest) : sine_series(turn.rest);
  y = quadrant & 2 ? -y : y;
  return abs_of(x) < 67108864.0f ? static_cast<float>(y) : kNaN;
}
YANRT_INLINE float sin(float x) { return sine_shifted(x, 0); }
YANRT_INLINE float cos(float x) { return sine_shifted(x, 1); }

// a - b floor(a / b) and floor(a / b) as Python rounds them; exact while |a / b| < 2^29.
YANRT_INLINE double floor_wide(double x) {
  const double r = (x + __builtin_copysign(0x1p52, x)) - __builtin_copysign(0x1p52, x);
  const double rounded = __builtin_fabs(x) < 0x1p52 ? r : x;
  return rounded > x ? rounded - 1.0 : rounded;
}
YANRT_INLINE float floordiv(float a, float b) {
  return static_cast<float>(floor_wide(static_cast<double>(a) / static_cast<double>(b)));
}
YANRT_INLINE float mod(float a, float b) {
  const double n = floor_wide(static_cast<double>(a) / static_cast<double>(b));
  return static_cast<float>(static_cast<double>(a) - n * static_cast<double>(b));
}

}  // namespace yanrt::cpu::YANRT_ISA
