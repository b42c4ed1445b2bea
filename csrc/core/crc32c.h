// CRC32C (Castagnoli, RFC 3720): the checksum of package tensors, manifests and snapshots.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace yanrt {

// Of `bytes`, or of their concatenation with what gave `before`. Uses the processor's instruction where there is one.
uint32_t crc32c(std::span<const std::byte> bytes, uint32_t before = 0);

// The same from tables, on any processor; for tests.
uint32_t crc32c_portable(std::span<const std::byte> bytes, uint32_t before = 0);

}  // namespace yanrt
