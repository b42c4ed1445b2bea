// The checks of every memory access that a kernel or a copy makes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "testing/cuda_sim/thread.h"

namespace yanrt::cuda_sim {

enum class Access : uint8_t { read, write, atomic };

// An access of a kernel's code: may switch threads, checks alignment (if `aligned`), then everything below. Stack,
// kernel arguments and constants pass unseen.
void on_access(const void* pointer, size_t bytes, Access access, bool aligned, uint64_t pc);
// Bounds, uninitialised bytes and races of one access.
void check_access(Thread& thread, const void* pointer, size_t bytes, Access access, uint64_t pc);
// The bytes belong to an async copy until it is waited for.
void mark_async(const void* pointer, size_t bytes);
// The async copy has landed: as if `thread` had written the bytes now.
void mark_written(const Thread& thread, const void* pointer, size_t bytes, uint64_t pc);

// A copy (or a memset, if `from` is null) of the current operation: bounds, uninitialised bytes sent to the host, and
// order against other operations. False if it must not be carried out.
bool check_copy(void* to, const void* from, size_t bytes);
// Fresh bytes of an allocation: never written.
void mark_fresh(const void* pointer, size_t bytes);

}  // namespace yanrt::cuda_sim
