// Counter-based noise: Philox 4x32-10 (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", SC'11) and normals
// by Box-Muller. The recipe, operation by operation, is docs/randn.md: every machine with IEEE arithmetic gives the
// same bits.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>

namespace yanrt {

using PhiloxBlock = std::array<uint32_t, 4>;

// Ten rounds over one counter block.
inline PhiloxBlock philox4x32(PhiloxBlock counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t{0xD2511F53} * counter[0];
    const uint64_t p1 = uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<uint32_t>(p1 >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(p1),
               static_cast<uint32_t>(p0 >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(p0)};
    key = {key[0] + 0x9E3779B9, key[1] + 0xBB67AE85};
  }
  return counter;
}

namespace philox_detail {

// No product may be fused with a sum here: the bits are part of the contract. (GCC fuses nothing in ISO mode,
// -std=c++20.)
#if defined(__clang__)
#pragma clang fp contract(off)
#endif

// log(m) = 2 s (1 + s^2/3 + s^4/5 + ... + s^18/19), s = (m - 1) / (m + 1). Error below 1e-15 of the result.
inline constexpr double kLogSeries[] = {1.0 / 19, 1.0 / 17, 1.0 / 15, 1.0 / 13, 1.0 / 11,
                                        1.0 / 9,  1.0 / 7,  1.0 / 5,  1.0 / 3,  1.0};
inline double log_of_uniform(double u) {
  constexpr double kSqrtHalf = 0.70710678118654752440, kLn2 = 0.69314718055994530942;
  const uint64_t bits = std::bit_cast<uint64_t>(u);
  int exponent = static_cast<int>(bits >> 52) - 1022;
  double m = std::bit_cast<double>((bits & 0x000FFFFFFFFFFFFF) | 0x3FE0000000000000);  // in [0.5, 1)
  if (m < kSqrtHalf) {
    m = m + m;
    --exponent;
  }
  const double s = (m - 1.0) / (m + 1.0), z = s * s;
  double series = 0;
  for (double coefficient : kLogSeries) series = series * z + coefficient;
  return exponent * kLn2 + 2.0 * s * series;
}

struct SinCos {
  double sine, cosine;
};
// Taylor series, nested: sin x / x = 1 - z/(2*3) (1 - z/(4*5) (...)), cos x = 1 - z/(1*2) (1 - z/(3*4) (...)), z = x^2.
inline constexpr double kSineSeries[] = {1.0 / (16 * 17), 1.0 / (14 * 15), 1.0 / (12 * 13), 1.0 / (10 * 11),
                                         1.0 / (8 * 9),   1.0 / (6 * 7),   1.0 / (4 * 5),   1.0 / (2 * 3)};
inline constexpr double kCosineSeries[] = {1.0 / (15 * 16), 1.0 / (13 * 14), 1.0 / (11 * 12), 1.0 / (9 * 10),
                                           1.0 / (7 * 8),   1.0 / (5 * 6),   1.0 / (3 * 4),   1.0 / (1 * 2)};
// Of 2 pi turns, for turns in [0, 1).
inline SinCos sincos_of_turns(double turns) {
  constexpr double kTwoPi = 6.28318530717958647693;
  const int quadrant = static_cast<int>(turns * 4.0 + 0.5);  // nearest quarter turn
  const double x = (turns - quadrant * 0.25) * kTwoPi, z = x * x;
  double sine = 1.0, cosine = 1.0;
  for (double coefficient : kSineSeries) sine = 1.0 - z * coefficient * sine;
  for (double coefficient : kCosineSeries) cosine = 1.0 - z * coefficient * cosine;
  sine = x * sine;
  switch (quadrant & 3) {
    case 0: return {sine, cosine};
    case 1: return {cosine, -sine};
    case 2: return {-sine, -cosine};
    default: return {-cosine, sine};
  }
}

inline double uniform(uint32_t word) { return (word + 0.5) * 0x1p-32; }

}  // namespace philox_detail

// Four standard normals: elements 4 * group .. 4 * group + 3 of the noise of (seed, counter).
inline std::array<float, 4> philox_normals(uint64_t seed, uint64_t counter, uint64_t group) {
  using namespace philox_detail;
  const auto low = [](uint64_t v) { return static_cast<uint32_t>(v); };
  const auto high = [](uint64_t v) { return static_cast<uint32_t>(v >> 32); };
  const PhiloxBlock words = philox4x32({low(group), high(group), low(counter), high(counter)}, {low(seed), high(seed)});
  std::array<float, 4> normals;
  for (int pair = 0; pair < 4; pair += 2) {
    const double radius = std::sqrt(-2.0 * log_of_uniform(uniform(words[pair])));
    const SinCos angle = sincos_of_turns(uniform(words[pair + 1]));
    normals[pair] = static_cast<float>(radius * angle.cosine);
    normals[pair + 1] = static_cast<float>(radius * angle.sine);
  }
  return normals;
}

}  // namespace yanrt
