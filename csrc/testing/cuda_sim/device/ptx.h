// Twins of the wrappers in backends/cuda/device/ptx.cuh: same names, same meaning. noinline keeps the return address
// that names the line in a report.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "testing/cuda_sim/device/keywords.h"

namespace yanrt::cuda_sim {

// One access of the full width, whatever a host compiler makes of the copy.
void on_wide_access(const void* pointer, size_t bytes, bool write, void* return_address);
void cp_async(void* shared, const void* global, unsigned bytes, unsigned read_bytes, void* return_address);
void cp_async_commit();
void cp_async_wait(unsigned pending);
void ldmatrix(uint32_t* r, const void* row, bool transposed, void* return_address, const char* file, int line);
enum class MmaKind { bf16, f16, e4m3 };
void mma(MmaKind kind, float* d, const uint32_t* a, uint32_t b0, uint32_t b1, const char* file, int line);

}  // namespace yanrt::cuda_sim

#define YANRT_SIM_WRAPPER __attribute__((noinline, no_sanitize("thread"))) inline
#define YANRT_SIM_SITE const char *file = __builtin_FILE(), int line = __builtin_LINE()

namespace yanrt::cuda {

#define YANRT_SIM_WIDE(bits, Type)                                                   \
  YANRT_SIM_WRAPPER Type load##bits(const void* pointer) {                           \
    cuda_sim::on_wide_access(pointer, bits / 8, false, __builtin_return_address(0)); \
    Type value;                                                                      \
    __builtin_memcpy(&value, pointer, bits / 8);                                     \
    return value;                                                                    \
  }                                                                                  \
  YANRT_SIM_WRAPPER void store##bits(void* pointer, Type value) {                    \
    cuda_sim::on_wide_access(pointer, bits / 8, true, __builtin_return_address(0));  \
    __builtin_memcpy(pointer, &value, bits / 8);                                     \
  }
YANRT_SIM_WIDE(32, uint32_t)
YANRT_SIM_WIDE(64, uint2)
YANRT_SIM_WIDE(128, uint4)
#undef YANRT_SIM_WIDE

YANRT_SIM_WRAPPER void cp_async_16(void* shared, const void* global, int bytes = 16) {
  cuda_sim::cp_async(shared, global, 16, static_cast<unsigned>(bytes), __builtin_return_address(0));
}
YANRT_SIM_WRAPPER void cp_async_4(void* shared, const void* global, int bytes = 4) {
  cuda_sim::cp_async(shared, global, 4, static_cast<unsigned>(bytes), __builtin_return_address(0));
}
inline void cp_async_commit() { cuda_sim::cp_async_commit(); }
template <int kPending>
inline void cp_async_wait() {
  cuda_sim::cp_async_wait(kPending);
}

YANRT_SIM_WRAPPER void ldmatrix_x4(uint32_t (&r)[4], const void* row, YANRT_SIM_SITE) {
  cuda_sim::ldmatrix(r, row, false, __builtin_return_address(0), file, line);
}
YANRT_SIM_WRAPPER void ldmatrix_x4_trans(uint32_t (&r)[4], const void* row, YANRT_SIM_SITE) {
  cuda_sim::ldmatrix(r, row, true, __builtin_return_address(0), file, line);
}

inline void mma_m16n8k16_bf16(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1, YANRT_SIM_SITE) {
  cuda_sim::mma(cuda_sim::MmaKind::bf16, d, a, b0, b1, file, line);
}
inline void mma_m16n8k16_f16(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1, YANRT_SIM_SITE) {
  cuda_sim::mma(cuda_sim::MmaKind::f16, d, a, b0, b1, file, line);
}
inline void mma_m16n8k32_e4m3(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1, YANRT_SIM_SITE) {
  cuda_sim::mma(cuda_sim::MmaKind::e4m3, d, a, b0, b1, file, line);
}

inline float exp2_approx(float x) { return exp2f(x); }

}  // namespace yanrt::cuda
