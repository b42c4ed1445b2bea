// Sizes of the register tile of an instruction set, but AMX.
#pragma once

#include "backends/cpu/isa/simd.h"

namespace yanrt::cpu::YANRT_ISA {

// Tile sizes that keep the sums, one row of the panel and one element of `a` in registers.
#if defined(__AVX512F__)
inline constexpr int kTileRows = 6, kTileVecs = 4;  // 24 + 4 + 1 of 32 registers
#elif defined(__AVX2__)
inline constexpr int kTileRows = 6, kTileVecs = 2;  // 12 + 2 + 1 of 16
#else
inline constexpr int kTileRows = 4, kTileVecs = 2;  // 8 + 2 + 1 of 16
#endif
inline constexpr int kTileColumns = kTileVecs * kLanes;

}  // namespace yanrt::cpu::YANRT_ISA
