// One kernel for each inline-assembly wrapper of the device header; tests/cuda/test_ptx.py reads the PTX that nvcc
// makes of it. Operands come from, and results go to, fixed places of the parameters, which name the registers.
#include "backends/cuda/device/device.cuh"

namespace yanrt::cuda {

using Mma = void (*)(float (&)[4], const uint32_t (&)[4], uint32_t, uint32_t);

template <Mma kMma>
__device__ __forceinline__ void probe_mma(float* d, const uint32_t* a, const uint32_t* b) {
  float sums[4] = {d[0], d[1], d[2], d[3]};
  const uint32_t rows[4] = {a[0], a[1], a[2], a[3]};
  kMma(sums, rows, b[0], b[1]);
  for (int i = 0; i < 4; ++i) d[i] = sums[i];
}

extern "C" {

__global__ void mma_bf16(float* d, const uint32_t* a, const uint32_t* b) { probe_mma<mma_m16n8k16_bf16>(d, a, b); }
__global__ void mma_f16(float* d, const uint32_t* a, const uint32_t* b) { probe_mma<mma_m16n8k16_f16>(d, a, b); }
__global__ void mma_e4m3(float* d, const uint32_t* a, const uint32_t* b) { probe_mma<mma_m16n8k32_e4m3>(d, a, b); }

__global__ void ldmatrix(uint32_t* out) {
  YANRT_DYNAMIC_SHARED(bytes);
  uint32_t r[4];
  ldmatrix_x4(r, bytes);
  for (int i = 0; i < 4; ++i) out[i] = r[i];
}
__global__ void ldmatrix_trans(uint32_t* out) {
  YANRT_DYNAMIC_SHARED(bytes);
  uint32_t r[4];
  ldmatrix_x4_trans(r, bytes);
  for (int i = 0; i < 4; ++i) out[i] = r[i];
}

__global__ void copy_16(const void* global, const int* bytes_to_read) {
  YANRT_DYNAMIC_SHARED(bytes);
  cp_async_16(bytes, global, bytes_to_read[0]);
}
__global__ void copy_4(const void* global, const int* bytes_to_read) {
  YANRT_DYNAMIC_SHARED(bytes);
  cp_async_4(bytes, global, bytes_to_read[0]);
}
__global__ void commit() { cp_async_commit(); }
__global__ void wait() { cp_async_wait<3>(); }
__global__ void exp2(float* out, const float* in) { out[0] = exp2_approx(in[0]); }

// Not assembly: one access of the full width.
__global__ void wide(uint4* out, const uint4* in) { store128(out, load128(in)); }
__global__ void wide_64(uint2* out, const uint2* in) { store64(out, load64(in)); }
}

}  // namespace yanrt::cuda
