// Atomics. All threads are fibers of one OS thread, so that a plain read and write is atomic; only the checks are told.
#pragma once

#include <cstring>

#include "testing/cuda_sim/device/keywords.h"

namespace yanrt::cuda_sim {

void on_atomic(const void* pointer, size_t bytes, void* return_address);

template <class T, class Update>
__attribute__((no_sanitize("thread"))) T read_modify_write(T* pointer, Update update, void* return_address) {
  on_atomic(pointer, sizeof(T), return_address);
  T old;
  __builtin_memcpy(&old, static_cast<const void*>(pointer), sizeof old);
  const T updated = update(old);
  __builtin_memcpy(static_cast<void*>(pointer), &updated, sizeof updated);
  return old;
}

}  // namespace yanrt::cuda_sim

#define YANRT_SIM_ATOMIC(name, expression)                                             \
  template <class T>                                                                   \
  __attribute__((noinline, no_sanitize("thread"))) T name(T* pointer, T value) {       \
    return yanrt::cuda_sim::read_modify_write(                                         \
        pointer, [&](T old) -> T { return expression; }, __builtin_return_address(0)); \
  }
YANRT_SIM_ATOMIC(atomicAdd, T(old + value))
YANRT_SIM_ATOMIC(atomicMax, old > value ? old : value)
YANRT_SIM_ATOMIC(atomicMin, old < value ? old : value)
YANRT_SIM_ATOMIC(atomicExch, value)
YANRT_SIM_ATOMIC(atomicOr, old | value)
#undef YANRT_SIM_ATOMIC

template <class T>
__attribute__((noinline, no_sanitize("thread"))) T atomicCAS(T* pointer, T expected, T value) {
  return yanrt::cuda_sim::read_modify_write(
      pointer, [&](T old) { return old == expected ? value : old; }, __builtin_return_address(0));
}
