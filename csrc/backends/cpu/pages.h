// Memory of the backend's buffers.
#pragma once

#include <cstddef>

namespace yanrt::cpu {

// Zeroed and 64-byte aligned; null if there is none. Large blocks ask for huge pages and are resident only where they
// were touched.
std::byte* take_memory(size_t bytes) noexcept;
void give_back(std::byte* data, size_t bytes) noexcept;

}  // namespace yanrt::cpu
