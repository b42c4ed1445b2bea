// Shared memory of the block that runs: the dynamic part first, then the static arrays, with red zones between them.
#pragma once

#include <cstddef>

namespace yanrt::cuda_sim {

void reset_shared_arrays(size_t dynamic_bytes);
std::byte* dynamic_shared();
// The array that stands at `site`, a static object of its declaration; the first thread that comes by makes it.
void* static_shared(const void* site, size_t bytes);
// Whether [offset, offset + bytes) lies inside one array.
bool in_shared_array(size_t offset, size_t bytes);

}  // namespace yanrt::cuda_sim
