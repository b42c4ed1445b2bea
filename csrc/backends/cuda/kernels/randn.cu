// Philox normals (docs/randn.md), the arithmetic of core/philox.h operation by operation. Every double operation is an
// intrinsic with one rounding, so that the compiler fuses none: the bits are those of the CPU.
#include "backends/cuda/device/device.cuh"
#include "backends/cuda/kernels/grid.h"
#include "backends/cuda/kernels/randn.h"

namespace yanrt::cuda {
namespace {

struct PhiloxWords {
  uint32_t w[4];
};

__device__ __forceinline__ PhiloxWords philox4x32(uint64_t group, uint64_t counter, uint64_t seed) {
  uint32_t c0 = static_cast<uint32_t>(group), c1 = static_cast<uint32_t>(group >> 32);
  uint32_t c2 = static_cast<uint32_t>(counter), c3 = static_cast<uint32_t>(counter >> 32);
  uint32_t k0 = static_cast<uint32_t>(seed), k1 = static_cast<uint32_t>(seed >> 32);
#pragma unroll
  for (int round = 0; round < 10; ++round) {
    const uint32_t high0 = __umulhi(0xD2511F53u, c0), low0 = 0xD2511F53u * c0;
    const uint32_t high1 = __umulhi(0xCD9E8D57u, c2), low1 = 0xCD9E8D57u * c2;
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return {{c0, c1, c2, c3}};
}

// (word + 0.5) * 2^-32; both operations are exact.
__device__ __forceinline__ double uniform(uint32_t word) { return __dmul_rn(__dadd_rn(word, 0.5), 0x1p-32); }

__device__ double log_of_uniform(double u) {
  const auto bits = static_cast<uint64_t>(__double_as_longlong(u));
  int exponent = static_cast<int>(bits >> 52) - 1022;
  double m = __longlong_as_double(static_cast<long long>((bits & 0x000FFFFFFFFFFFFFull) | 0x3FE0000000000000ull));
  if (m < 0.70710678118654752440) {
    m = __dadd_rn(m, m);
    --exponent;
  }
  const double s = __ddiv_rn(__dsub_rn(m, 1.0), __dadd_rn(m, 1.0)), z = __dmul_rn(s, s);
  const double coefficients[] = {1.0 / 19, 1.0 / 17, 1.0 / 15, 1.0 / 13, 1.0 / 11,
                                 1.0 / 9,  1.0 / 7,  1.0 / 5,  1.0 / 3,  1.0};
  double series = 0;
#pragma unroll
  for (double coefficient : coefficients) series = __dadd_rn(__dmul_rn(series, z), coefficient);
  return __dadd_rn(__dmul_rn(exponent, 0.69314718055994530942), __dmul_rn(__dmul_rn(2.0, s), series));
}

__device__ void sincos_of_turns(double turns, double* sine_out, double* cosine_out) {
  const int quadrant = static_cast<int>(__dadd_rn(__dmul_rn(turns, 4.0), 0.5));
  const double x = __dmul_rn(__dsub_rn(turns, __dmul_rn(quadrant, 0.25)), 6.28318530717958647693);
  const double z = __dmul_rn(x, x);
  const double of_sine[] = {1.0 / (16 * 17), 1.0 / (14 * 15), 1.0 / (12 * 13), 1.0 / (10 * 11),
                            1.0 / (8 * 9),   1.0 / (6 * 7),   1.0 / (4 * 5),   1.0 / (2 * 3)};
  const double of_cosine[] = {1.0 / (15 * 16), 1.0 / (13 * 14), 1.0 / (11 * 12), 1.0 / (9 * 10),
                              1.0 / (7 * 8),   1.0 / (5 * 6),   1.0 / (3 * 4),   1.0 / (1 * 2)};
  double sine = 1.0, cosine = 1.0;
#pragma unroll
  for (double coefficient : of_sine) sine = __dsub_rn(1.0, __dmul_rn(__dmul_rn(z, coefficient), sine));
#pragma unroll
  for (double coefficient : of_cosine) cosine = __dsub_rn(1.0, __dmul_rn(__dmul_rn(z, coefficient), cosine));
  sine = __dmul_rn(x, sine);
  const bool swapped = quadrant & 1;
  const double first = swapped ? cosine : sine, second = swapped ? sine : cosine;
  *sine_out = quadrant & 2 ? -first : first;
  *cosine_out = ((quadrant + 1) & 2) ? -second : second;
}

// One thread a group of four normals.
__global__ void randn_kernel(RandnArgs args) {
  const uint32_t groups = (args.count + 3) / 4, index = blockIdx.x * blockDim.x + threadIdx.x;
  const uint32_t entry = index / groups, group = index % groups;
  if (entry >= args.batch) return;
  const PhiloxWords words =
      philox4x32(group, static_cast<uint64_t>(args.counter[entry]), static_cast<uint64_t>(args.seed[entry]));
  float* y = args.y + static_cast<size_t>(entry) * args.count + 4 * static_cast<size_t>(group);
  const uint32_t left = args.count - 4 * group;
#pragma unroll
  for (uint32_t pair = 0; pair < 4; pair += 2) {
    const double radius = __dsqrt_rn(__dmul_rn(-2.0, log_of_uniform(uniform(words.w[pair]))));
    double sine, cosine;
    sincos_of_turns(uniform(words.w[pair + 1]), &sine, &cosine);
    if (pair < left) y[pair] = static_cast<float>(__dmul_rn(radius, cosine));
    if (pair + 1 < left) y[pair + 1] = static_cast<float>(__dmul_rn(radius, sine));
  }
}

}  // namespace

cudaError_t launch_randn(const RandnArgs& args, cudaStream_t stream) {
  const int64_t threads = static_cast<int64_t>(args.batch) * ((args.count + 3) / 4);
  return launch(randn_kernel, {.grid = dim3(blocks_for(threads)), .block = dim3(kBlockThreads), .stream = stream},
                args);
}

}  // namespace yanrt::cuda
