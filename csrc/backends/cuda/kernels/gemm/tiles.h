#pragma once

#include <cstdint>

#include "backends/cuda/device_info.h"
#include "backends/cuda/kernels/gemm/gemm_args.h"

namespace yanrt::cuda {

// The larger tile reads less memory for each product; the smaller one keeps more of the device busy.
inline Tile choose_tile(int64_t m, int64_t n, int64_t groups, const DeviceInfo& device) {
  const int64_t large = ((m + 127) / 128) * ((n + 127) / 128) * groups;
  return large >= device.multiprocessors ? Tile::t128 : Tile::t64;
}

inline const char* name_of(Tile tile) { return tile == Tile::t128 ? "128x128" : "64x64"; }

}  // namespace yanrt::cuda
