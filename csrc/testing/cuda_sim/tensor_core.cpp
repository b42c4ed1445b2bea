#include "testing/cuda_sim/tensor_core.h"

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_fp8.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include "testing/cuda_sim/report.h"
#include "testing/cuda_sim/state.h"

namespace yanrt::cuda_sim {
namespace {

// How a chip adds the products of a step: all of `group` are aligned to the largest exponent, cut to `fraction` bits,
// added, and the sum is cut to `result` bits. After MMA-Sim (arXiv:2511.10909).
struct Accumulator {
  int group, fraction, result, lowest_exponent;
};
Accumulator accumulator_of(int arch, int k, bool fp8) {
  const bool ada = arch < 90;
  return {.group = ada ? k / 2 : k,
          .fraction = fp8 ? (ada ? 13 : 25) : (ada ? 24 : 25),
          .result = fp8 && ada ? 13 : 23,
          .lowest_exponent = fp8 ? -6 : -126};
}

float hardware_sum(const float* a, const float* b, float c, const Accumulator& unit) {
  constexpr int kNone = -100000;
  std::array<double, 32> products;
  int exponent = c != 0 ? std::ilogb(c) : kNone;
  if (!std::isfinite(c)) return c;
  for (int i = 0; i < unit.group; ++i) {
    products[i] = static_cast<double>(a[i]) * b[i];
    if (!std::isfinite(products[i])) return NAN;
    if (products[i] != 0)
      exponent = std::max(exponent, std::max(std::ilogb(a[i]), unit.lowest_exponent) +
                                        std::max(std::ilogb(b[i]), unit.lowest_exponent));
  }
  if (exponent == kNone) return 0;
  const double unit_in_sum = std::ldexp(1.0, exponent - unit.fraction);
  double sum = std::trunc(c / unit_in_sum);
  for (int i = 0; i < unit.group; ++i) sum += std::trunc(products[i] / unit_in_sum);
  sum *= unit_in_sum;
  if (sum == 0) return 0;
  const double unit_in_result = std::ldexp(1.0, std::max(std::ilogb(sum), -126) - unit.result);
  return static_cast<float>(std::trunc(sum / unit_in_result) * unit_in_result);
}

template <int K>
struct Operands {
  float a[16][K];
  float b[8][K];  // column by column
};

// d = c + a b for the elements that each lane holds: rows lane/4 and lane/4 + 8, columns 2 (lane % 4) and one more.
template <int K>
void multiply(Collective& collective, const Operands<K>& x, bool fp8) {
  const bool exact = !options().hardware_sums;
  const Accumulator unit = accumulator_of(options().arch, K, fp8);
  ++mutable_stats().mma_steps;
  for (unsigned lane = 0; lane < 32; ++lane) {
    const auto& in = *reinterpret_cast<const MmaInput*>(collective.in[lane]);
    auto* out = reinterpret_cast<float*>(collective.out[lane]);
    for (unsigned r = 0; r < 4; ++r) {
      const float* row = x.a[lane / 4 + r / 2 * 8];
      const float* column = x.b[lane % 4 * 2 + r % 2];
      float sum = in.c[r];
      if (exact) {
        float products = 0;
        for (int k = 0; k < K; ++k) products += row[k] * column[k];
        sum += products;
      } else {
        for (int k = 0; k < K; k += unit.group) sum = hardware_sum(row + k, column + k, sum, unit);
      }
      out[r] = sum;
    }
  }
}

// A register holds `per` values of consecutive k. Registers of A: (row, k), (row + 8, k), (row, k + K/2), (row + 8,
// ...); of B: (k, column), (k + K/2, column); row and column are lane / 4, k starts at per * (lane % 4).
template <int K, class Decode>
void gather(const Collective& collective, Operands<K>& x, Decode decode) {
  constexpr int per = K / 8, bits = 32 / per;
  constexpr uint32_t mask = (uint64_t{1} << bits) - 1;
  for (unsigned lane = 0; lane < 32; ++lane) {
    const auto& in = *reinterpret_cast<const MmaInput*>(collective.in[lane]);
    const unsigned line = lane / 4, start = lane % 4 * per;
    for (int j = 0; j < per; ++j) {
      for (int r = 0; r < 4; ++r)
        x.a[line + r % 2 * 8][r / 2 * (K / 2) + start + j] = decode(in.a[r] >> bits * j & mask);
      for (int r = 0; r < 2; ++r) x.b[line][r * (K / 2) + start + j] = decode(in.b[r] >> bits * j & mask);
    }
  }
}

template <int K, class Decode>
void mma(Collective& collective, bool fp8, Decode decode) {
  Operands<K> x;
  gather<K>(collective, x, decode);
  multiply<K>(collective, x, fp8);
}

const std::array<float, 256>& e4m3_values() {
  static const std::array<float, 256> values = [] {
    std::array<float, 256> table;
    for (unsigned i = 0; i < 256; ++i)
      table[i] = __half2float(__half(__nv_cvt_fp8_to_halfraw(static_cast<__nv_fp8_storage_t>(i), __NV_E4M3)));
    return table;
  }();
  return values;
}

}  // namespace

void compute_mma_bf16(Collective& collective) {
  mma<16>(collective, false, [](uint32_t bits) { return std::bit_cast<float>(bits << 16); });
}

void compute_mma_f16(Collective& collective) {
  mma<16>(collective, false, [](uint32_t bits) {
    __half_raw raw;
    raw.x = static_cast<unsigned short>(bits);
    return __half2float(__half(raw));
  });
}

void compute_mma_e4m3(Collective& collective) {
  if (options().arch < 89)
    report("unsupported-instruction",
           format("mma.m16n8k32.e4m3 at %s:%d on sm_%d, which has none; sm_89 and later have",
                  base_name(collective.site.file).c_str(), collective.site.line, options().arch));
  const auto& values = e4m3_values();
  mma<32>(collective, true, [&](uint32_t bits) { return values[bits]; });
}

}  // namespace yanrt::cuda_sim
