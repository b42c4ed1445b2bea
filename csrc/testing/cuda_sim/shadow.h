// Shadow memory: for every byte who wrote it last and the last two who read it. One cell stands for four bytes as long
// as they are accessed together, and is split when they are not.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace yanrt::cuda_sim {

// One access: 16 bytes. `block` numbers blocks and copies over the life of the process; 0 is "never".
struct Stamp {
  uint32_t block = 0;
  uint16_t barrier_epoch = 0;  // __syncthreads passed by the thread before
  uint16_t warp_epoch = 0;     // __syncwarp since then
  uint64_t pc : 48 = 0;
  uint64_t thread : 10 = 0;
  uint64_t atomic : 1 = 0;
  uint64_t async : 1 = 0;  // an async copy under way: nobody may touch the bytes
  uint64_t host : 1 = 0;   // a copy or memset, not a kernel
};
static_assert(sizeof(Stamp) == 16);

struct Cell {
  Stamp write;
  Stamp read[2];
};

inline constexpr size_t kGranule = 4;

// The cells of the granule that holds a byte: one for all four bytes, or one for each.
struct CellSpan {
  Cell* cells;
  size_t count;  // 1 or 4
};

// Of `shared` or device memory; `whole` says that the access covers all four bytes (then nothing is split).
CellSpan cells_of(bool shared, size_t offset, bool whole);
// All bytes of a granule have the same history again.
void join_cells(bool shared, size_t offset, const Cell& cell);
// Gives the shadow of freed pages back. Both multiples of 4096.
void forget_device_shadow(size_t offset, size_t bytes);

}  // namespace yanrt::cuda_sim
