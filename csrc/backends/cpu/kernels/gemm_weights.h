// Weights as the register tiles read them: quantised where the precision says so, and packed into panels, once, at
// load.
#pragma once

#include <cstdint>
#include <vector>

#include "backends/cpu/isa/loops.h"
#include "backends/cpu/kernel.h"

namespace yanrt::cpu {

// Reads a stored weight of f32, bf16 or f8e4m3 (without its scale) as f32. Throws Error(unsupported) for other types.
class WeightReader {
 public:
  explicit WeightReader(const StoredTensor& tensor);
  // Elements first .. first + count.
  void read(int64_t first, int64_t count, float* out) const;

 private:
  DType dtype_;
  const std::byte* data_;
  std::vector<float> f8_values_;
};

// The scales of a weight as it is stored, one an output channel, or null if it has none.
const float* stored_scales(const Constant& weight, WeightCache& cache);

// Weight [groups * n, k] in the shared cache: panel[k / tile.group][tile.columns][tile.group] for every tile.columns
// output channels of a group, zeros where k (to a multiple of tile.depth) or the channels end.
//
// int8 and E4M3 are quantised by output channel, unless the package stores E4M3 already: scale = largest magnitude /
// 127 (or 448), code = weight / scale, rounded to nearest even. Throws Error(unsupported) if a weight is infinite or
// NaN.
class Panels {
 public:
  Panels(const Constant& weight, WeightCache& cache, const TileLoop& tile, int64_t groups, int64_t n, int64_t k);

  const std::byte* at(int64_t group, int64_t panel) const {
    return data_ + static_cast<size_t>(group * per_group_ + panel) * panel_bytes_;
  }
  size_t bytes() const { return panel_bytes_; }  // of a panel
  // Factors of the sums, by output channel; null: none.
  const float* scales() const { return scales_; }
  // What must be added to the integer sums, by output channel; null: nothing. Activations come as code = value + 128,
  // so this is -128 times the sum of the channel's weights.
  const int32_t* offsets() const { return offsets_; }

 private:
  int64_t per_group_;
  size_t panel_bytes_;
  const std::byte* data_;
  const float* scales_;
  const int32_t* offsets_ = nullptr;
};

}  // namespace yanrt::cpu
