// The callbacks that -fsanitize=thread puts at every memory access of the kernels. libtsan is not linked: these take
// its place, so that unmodified sources tell the simulator what they touch.
#include "testing/cuda_sim/checker.h"

using yanrt::cuda_sim::Access;
using yanrt::cuda_sim::on_access;

#define YANRT_RETURN_ADDRESS reinterpret_cast<uint64_t>(__builtin_return_address(0))
#define YANRT_TSAN_ACCESS(bytes)                                                                                 \
  void __tsan_read##bytes(void* p) { on_access(p, bytes, Access::read, true, YANRT_RETURN_ADDRESS); }            \
  void __tsan_write##bytes(void* p) { on_access(p, bytes, Access::write, true, YANRT_RETURN_ADDRESS); }          \
  void __tsan_unaligned_read##bytes(void* p) { on_access(p, bytes, Access::read, false, YANRT_RETURN_ADDRESS); } \
  void __tsan_unaligned_write##bytes(void* p) { on_access(p, bytes, Access::write, false, YANRT_RETURN_ADDRESS); }

extern "C" {
YANRT_TSAN_ACCESS(1)
YANRT_TSAN_ACCESS(2)
YANRT_TSAN_ACCESS(4)
YANRT_TSAN_ACCESS(8)
YANRT_TSAN_ACCESS(16)
void __tsan_read_range(void* p, unsigned long bytes) { on_access(p, bytes, Access::read, false, YANRT_RETURN_ADDRESS); }
void __tsan_write_range(void* p, unsigned long bytes) {
  on_access(p, bytes, Access::write, false, YANRT_RETURN_ADDRESS);
}
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_init() {}

// Host code of a .cu file may hold atomics (guards of local statics, reference counts); they are carried out.
#define YANRT_TSAN_ATOMIC(bits, T)                                                                                  \
  T __tsan_atomic##bits##_load(const volatile T* p, int) { return __atomic_load_n(p, __ATOMIC_SEQ_CST); }           \
  void __tsan_atomic##bits##_store(volatile T* p, T v, int) { __atomic_store_n(p, v, __ATOMIC_SEQ_CST); }           \
  T __tsan_atomic##bits##_fetch_add(volatile T* p, T v, int) { return __atomic_fetch_add(p, v, __ATOMIC_SEQ_CST); } \
  T __tsan_atomic##bits##_fetch_sub(volatile T* p, T v, int) { return __atomic_fetch_sub(p, v, __ATOMIC_SEQ_CST); }
YANRT_TSAN_ATOMIC(8, uint8_t)
YANRT_TSAN_ATOMIC(32, uint32_t)
YANRT_TSAN_ATOMIC(64, uint64_t)
}
