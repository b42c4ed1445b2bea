// The inline PTX of the kernels, all of it. The simulator cannot run this file: each wrapper has a golden PTX test
// (tests/cuda/test_ptx.py) and its twin in testing/cuda_sim/device/ is checked against the published layouts.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#define YANRT_PTX __device__ __forceinline__

namespace yanrt::cuda {

YANRT_PTX uint32_t shared_address(const void* pointer) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(pointer));
}

// ---- wide accesses: the pointer must be aligned to the width
// ---------------------------------------------------------
YANRT_PTX uint4 load128(const void* pointer) { return *static_cast<const uint4*>(pointer); }
YANRT_PTX uint2 load64(const void* pointer) { return *static_cast<const uint2*>(pointer); }
YANRT_PTX uint32_t load32(const void* pointer) { return *static_cast<const uint32_t*>(pointer); }
YANRT_PTX void store128(void* pointer, uint4 value) { *static_cast<uint4*>(pointer) = value; }
YANRT_PTX void store64(void* pointer, uint2 value) { *static_cast<uint2*>(pointer) = value; }
YANRT_PTX void store32(void* pointer, uint32_t value) { *static_cast<uint32_t*>(pointer) = value; }

// ---- asynchronous copies
// --------------------------------------------------------------------------------------------- Copies `bytes` (0..16)
// from global to 16 bytes of shared memory; the rest is filled with zeros. Both 16-byte aligned; with bytes == 0
// nothing is read, but the source must still be a valid address.
YANRT_PTX void cp_async_16(void* shared, const void* global, int bytes = 16) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(shared)), "l"(global), "r"(bytes)
               : "memory");
}
// The same for 4 bytes, 4-byte aligned, for rows that are not aligned to 16.
YANRT_PTX void cp_async_4(void* shared, const void* global, int bytes = 4) {
  asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" ::"r"(shared_address(shared)), "l"(global), "r"(bytes)
               : "memory");
}
// Closes the group of this thread's copies since the last commit (it may be empty).
YANRT_PTX void cp_async_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }
// Waits until at most kPending of this thread's groups are under way. Other threads see the bytes after a barrier.
template <int kPending>
YANRT_PTX void cp_async_wait() {
  asm volatile("cp.async.wait_group %0;" ::"n"(kPending) : "memory");
}

// ---- matrix fragments
// ------------------------------------------------------------------------------------------------ Lane l gives the
// address of row l % 8 of matrix l / 8 (8 rows of 16 bytes, 16-byte aligned, in shared memory).
YANRT_PTX void ldmatrix_x4(uint32_t (&r)[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(shared_address(row))
               : "memory");
}
YANRT_PTX void ldmatrix_x4_trans(uint32_t (&r)[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(shared_address(row))
               : "memory");
}

// d += a b, a 16x16 row-major, b 16x8 column-major, f32 sums.
YANRT_PTX void mma_m16n8k16_bf16(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
      "{%0, %1, %2, %3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}
YANRT_PTX void mma_m16n8k16_f16(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
      "{%0, %1, %2, %3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}
// d += a b, a 16x32 row-major, b 32x8 column-major, E4M3. sm_89 and later; older chips trap (mma.cuh has the path for
// them). Native on sm_89 and sm_120; sm_90 and sm_100 convert to f16, right but without the speed of FP8.
YANRT_PTX void mma_m16n8k32_e4m3(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 890
  __trap();
#else
  asm volatile(
      "mma.sync.aligned.m16n8k32.row.col.f32.e4m3.e4m3.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
      "{%0, %1, %2, %3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
#endif
}

// 2^x by the special function unit: relative error 2^-22, subnormal results are flushed to zero.
YANRT_PTX float exp2_approx(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

}  // namespace yanrt::cuda
