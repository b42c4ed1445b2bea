// y = finish(x w^T): the blocking, packing and work split that linear and conv2d share. They differ only in where a row
// of x comes from: memory as it lies, a conversion, or the receptive field of a pixel.
//
//   weights   packed once, at load, into panels of `columns` output channels: panel[k / group][columns][group]
//   worker    a rectangle of (rows x panels)
//   block     rows of x that fit the cache, in the form the tile reads; multiplied with one panel after the other
//   tile      rows x columns of sums in registers (kernels/gemm_loops.h)
//
// Every element is one chain of multiply-adds in the order of k. Cutting k into blocks stores and reloads the sum and
// changes nothing; so neither m, nor the worker, nor the tile a row falls in changes its bits.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "backends/cpu/isa/loops.h"
#include "backends/cpu/kernel.h"

namespace yanrt::cpu {

Activation parse_activation(std::string_view name);

// The tile that computes in a precision (f32 or bf16).
const TileLoop& tile_for(const Loops& loops, DType compute);

// Reads a stored weight of f32, bf16 or f8e4m3 (without its scale) as f32. Throws Error(unsupported) for other types.
class WeightReader {
 public:
  explicit WeightReader(const StoredTensor& tensor);
  float operator[](int64_t i) const;

 private:
  DType dtype_;
  const std::byte* data_;
  std::vector<float> f8_values_;
};

// The per-output-channel scales of a weight, or null if it has none.
const float* weight_scales(const Constant& weight, WeightCache& cache);

// Brings activations into the form a tile reads. bf16 precision on a processor without bf16 instructions reads f32 that
// has been rounded to bf16.
class ToOperand {
 public:
  ToOperand(const ConvertLoops& convert, const TileLoop& tile, DType from);
  bool is_copy() const { return kind_ == Kind::copy; }
  size_t from_size() const { return from_size_; }
  size_t to_size() const { return to_size_; }
  void operator()(const std::byte* from, std::byte* to, int64_t count) const;

 private:
  enum class Kind : uint8_t { copy, narrow, widen, round };
  const ConvertLoops& convert_;
  size_t from_size_, to_size_;
  Kind kind_;
};

// Weight [groups * n, k] as panels, in the shared cache.
class Panels {
 public:
  Panels(const Constant& weight, WeightCache& cache, const TileLoop& tile, int64_t groups, int64_t n, int64_t k);
  const std::byte* at(int64_t group, int64_t panel) const {
    return data_ + static_cast<size_t>(group * per_group_ + panel) * panel_bytes_;
  }

 private:
  int64_t per_group_;
  size_t panel_bytes_;
  const std::byte* data_;
};

// Consecutive rows of x in the tile's form; `stride` in elements.
struct Rows {
  const std::byte* data;
  int64_t stride;
};

class Gemm {
 public:
  struct Shape {
    int64_t m, n, k;  // of one group
    int64_t groups = 1;
  };
  // `in_place`: rows need no scratch.
  Gemm(const KernelSpec& spec, const Loops& loops, const Constant& weight, const Shape& shape, bool in_place);

  // Computes this worker's rectangle of `group`. `finish` describes row 0, column 0 of the group's output.
  // `rows(first, count, scratch)` returns Rows; it writes those not in place to `scratch`, with row_stride().
  template <class RowSource>
  void run(const KernelCall& call, int64_t group, const FinishArgs& finish, const RowSource& rows) const noexcept;

  size_t scratch_bytes() const { return sums_bytes_ + rows_bytes_; }
  int useful_workers() const { return useful_workers_; }
  int64_t row_stride() const { return row_stride_; }  // of rows in scratch, in elements
  int64_t padded_k() const { return padded_k_; }      // elements k .. padded_k of a row must be zero

 private:
  struct Grid {
    int rows = 1, panels = 1;  // workers along each
  };
  Grid choose_grid(int workers) const;
  void multiply(const Rows& rows, int64_t count, const std::byte* panel, float* sums) const noexcept;
  void finish_block(const FinishArgs& finish, int64_t first_row, int64_t count, int64_t panel,
                    float* sums) const noexcept;

  Shape shape_;
  bool in_place_;
  const TileLoop& tile_;
  const GemmLoops& loops_;
  Panels panels_;
  int64_t panel_count_, padded_k_, row_stride_, block_rows_, block_k_;
  size_t sums_bytes_, rows_bytes_;
  int useful_workers_;
  std::vector<Grid> grids_;  // by number of workers
};

template <class RowSource>
void Gemm::run(const KernelCall& call, int64_t group, const FinishArgs& finish, const RowSource& rows) const noexcept {
  const Grid grid = grids_[static_cast<size_t>(call.workers)];
  const Range my_rows = share(shape_.m, tile_.rows, call.worker / grid.panels, grid.rows);
  const Range my_panels = share(panel_count_, 1, call.worker % grid.panels, grid.panels);
  if (my_panels.begin == my_panels.end) return;
  auto* sums = reinterpret_cast<float*>(call.scratch);
  for (int64_t first = my_rows.begin; first < my_rows.end; first += block_rows_) {
    const int64_t count = std::min(block_rows_, my_rows.end - first);
    const Rows block = rows(first, count, call.scratch + sums_bytes_);
    for (int64_t panel = my_panels.begin; panel < my_panels.end; ++panel) {
      multiply(block, count, panels_.at(group, panel), sums);
      finish_block(finish, first, count, panel, sums);
    }
  }
}

}  // namespace yanrt::cpu
