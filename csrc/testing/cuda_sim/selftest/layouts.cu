// The simulator's fragments against the strides that CuTe publishes (NVIDIA/cutlass, include/cute/atom/mma_traits_sm80
// and _sm89.hpp), by products of one-hot operands.
#include <cstring>

#include "backends/cuda/device/device.cuh"
#include "testing/cuda_sim/selftest/case.h"
#include "testing/cuda_sim/sim.h"

namespace yanrt::cuda_selftest {
namespace {

using namespace cuda;

struct Fragment {
  uint32_t a[4], b[2];
  float d[4];
};

enum class Step { bf16, f16, e4m3, e4m3_widened };

template <Step kStep>
__global__ void multiply(Fragment* fragments) {
  Fragment& x = fragments[threadIdx.x];
  const uint32_t a[4] = {x.a[0], x.a[1], x.a[2], x.a[3]};
  float d[4] = {};
  if constexpr (kStep == Step::bf16) mma_m16n8k16_bf16(d, a, x.b[0], x.b[1]);
  if constexpr (kStep == Step::f16) mma_m16n8k16_f16(d, a, x.b[0], x.b[1]);
  if constexpr (kStep == Step::e4m3) mma_e4m3<E4m3Path::native>(d, a, x.b[0], x.b[1]);
  if constexpr (kStep == Step::e4m3_widened) mma_e4m3<E4m3Path::widened>(d, a, x.b[0], x.b[1]);
  for (int i = 0; i < 4; ++i) x.d[i] = d[i];
}

// CuTe's layouts. Thread (t0 in 4, t1 in 8), value (v0, v1, v2): A -> m + 16 k, B -> n + 8 k, C -> m + 16 n.
template <Step kStep>
struct Layout {
  static constexpr bool kBytes = kStep == Step::e4m3 || kStep == Step::e4m3_widened;
  static constexpr int k = kBytes ? 32 : 16, per_register = kBytes ? 4 : 2, bits = kBytes ? 8 : 16;
  static constexpr uint32_t one = kBytes ? 0x38 : kStep == Step::f16 ? 0x3c00 : 0x3f80;
  static int a(int t, int v0, int v1, int v2) {
    return t % 4 * (kBytes ? 64 : 32) + t / 4 + v0 * 16 + v1 * 8 + v2 * (kBytes ? 256 : 128);
  }
  static int b(int t, int v0, int v1) { return t % 4 * (kBytes ? 32 : 16) + t / 4 + v0 * 8 + v1 * (kBytes ? 128 : 64); }
  static int c(int t, int v) { return t % 4 * 32 + t / 4 + v % 2 * 16 + v / 2 * 8; }
};

// Operands with a one at (m, k) and (k, n).
template <Step kStep>
void make_one_hot(Fragment (&fragments)[32], int m, int n, int k) {
  using L = Layout<kStep>;
  std::memset(fragments, 0, sizeof fragments);
  for (int t = 0; t < 32; ++t)
    for (int v0 = 0; v0 < L::per_register; ++v0)
      for (int v1 = 0; v1 < 2; ++v1) {
        for (int v2 = 0; v2 < 2; ++v2)
          if (L::a(t, v0, v1, v2) == m + 16 * k) fragments[t].a[v1 + 2 * v2] |= L::one << L::bits * v0;
        if (L::b(t, v0, v1) == n + 8 * k) fragments[t].b[v1] |= L::one << L::bits * v0;
      }
}

template <Step kStep>
std::string check(const char* name) {
  Fragment* device = nullptr;
  cudaMalloc(reinterpret_cast<void**>(&device), 32 * sizeof(Fragment));
  int wrong = 0, products = 0;
  for (int m = 0; m < 16; ++m)
    for (int n = 0; n < 8; ++n)
      for (int k = (m + n) % 3; k < Layout<kStep>::k; k += 3) {
        Fragment fragments[32];
        make_one_hot<kStep>(fragments, m, n, k);
        cudaMemcpy(device, fragments, sizeof fragments, cudaMemcpyHostToDevice);
        launch(multiply<kStep>, {.grid = 1, .block = 32}, device);
        cudaMemcpy(fragments, device, sizeof fragments, cudaMemcpyDeviceToHost);
        ++products;
        for (int t = 0; t < 32; ++t)
          for (int v = 0; v < 4; ++v)
            wrong += fragments[t].d[v] != (Layout<kStep>::c(t, v) == m + 16 * n ? 1.0f : 0.0f);
      }
  cudaFree(device);
  return (wrong == 0 ? "ok layout of " : "FAIL layout of ") + std::string(name) + " | 0 wrong | " +
         std::to_string(wrong) + " wrong of " + std::to_string(products) + " products";
}

}  // namespace

std::vector<std::string> check_mma_layouts() {
  cuda_sim::configure({.checks = false});
  return {check<Step::bf16>("mma.m16n8k16.bf16"), check<Step::f16>("mma.m16n8k16.f16"),
          check<Step::e4m3>("mma.m16n8k32.e4m3"), check<Step::e4m3_widened>("mma.m16n8k32.e4m3, widened")};
}

}  // namespace yanrt::cuda_selftest
