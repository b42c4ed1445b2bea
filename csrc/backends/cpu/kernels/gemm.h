// y = finish(x w^T): the blocking and work split that linear and conv2d share. They differ only in where a row of x
// comes from: memory as it lies, a conversion, or the receptive field of a pixel.
//
//   weights   packed once, at load, into panels of `columns` output channels (kernels/gemm_weights.h)
//   worker    a rectangle of (rows x panels)
//   block     rows of x in the form the tile reads, half of the second-level cache at most; multiplied with one panel
//             after the other, while the next panel is on its way from memory. Where so few rows have room that it
//             would not pay to expand a panel for them, a block is of a part of k, and all its panels' sums wait for
//             the parts that follow
//   strip     rows of a block whose sums stay in a cache until they are finished, while stretches of k of the panel
//             pass through the first-level one
//   tile      rows x columns of sums in registers (kernels/gemm_loops.h)
//
// Every element is chains of multiply-adds in the order of k, whose ends depend on k alone (TileLoop::chain); so
// neither m, nor the worker, nor the tile a row falls in changes its bits.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "backends/cpu/isa/loops.h"
#include "backends/cpu/kernel.h"
#include "backends/cpu/kernels/gemm_rows.h"
#include "backends/cpu/kernels/gemm_weights.h"
#include "backends/cpu/kernels/result_store.h"

namespace yanrt::cpu {

Activation parse_activation(std::string_view name);

// The tile that multiplies in a precision.
const TileLoop& tile_for(const Loops& loops, Precision precision);

// For as long as a kernel runs a tile's loops on this thread.
class TileRegisters {
 public:
  explicit TileRegisters(const TileLoop& tile) : leave_(tile.leave) {
    if (tile.enter) tile.enter();
  }
  TileRegisters(const TileRegisters&) = delete;
  TileRegisters& operator=(const TileRegisters&) = delete;
  ~TileRegisters() {
    if (leave_) leave_();
  }

 private:
  void (*leave_)();
};

// What a source of rows is asked for: rows [first, first + count) of the group, of each k [k, k + width).
struct RowPart {
  int64_t first, count, k, width;
};
// Where it writes those that do not lie in memory as the tile reads them.
struct RowScratch {
  std::byte* rows;  // with Gemm::row_stride()
  float* scales;    // one a row
  std::byte* temp;  // as many bytes as the kernel asked for
};

class Gemm {
 public:
  struct Shape {
    int64_t m, n, k;  // of one group
    int64_t groups = 1;
  };
  // Where rows come from. What is 0 is chosen by the GEMM.
  struct Source {
    bool in_place;           // rows need no scratch
    bool in_parts = false;   // rows can be had in parts of k; else a part is all of it
    int64_t temp_bytes = 0;  // of RowScratch::temp
    // For rows that are read from an image:
    int64_t run = 0;         // what belongs together: neither a worker's share nor a block ends within
    int64_t image = 0;       // a block does not reach beyond its end
    int64_t block_rows = 0;  // a multiple of `run`
    int64_t rows_bytes = 0;  // of RowScratch::rows
  };
  Gemm(const KernelSpec& spec, const Loops& loops, const Constant& weight, const Shape& shape, const Source& source);

  // Computes this worker's rectangle of `group`. `finish` describes row 0, column 0 of the group's output; where the op
  // has a Store, its `y` is the whole output. `rows(part, scratch)` returns the Rows of a RowPart.
  template <class RowSource>
  void run(const KernelCall& call, int64_t group, const FinishArgs& finish, const RowSource& rows) const noexcept;

  size_t scratch_bytes() const { return scratch_bytes_; }
  int useful_workers() const { return useful_workers_; }
  int64_t row_stride() const { return row_stride_; }  // of rows in scratch, in elements
  // Of k elements of a row of floats, with the zeros that must follow.
  int64_t padded(int64_t k) const;

 private:
  struct Grid {
    int rows = 1, panels = 1;  // workers along each
  };
  // Rows that a worker brings into scratch at a time, and what it does with them.
  struct Block {
    Rows rows;
    int64_t group, first_row, count;
    int64_t k, width;  // padded
  };
  void choose_blocks();
  void lay_out_scratch();
  // At most block_rows_, so that blocks of these rows are alike.
  int64_t evenly(const Range& rows) const;
  int64_t grain() const { return source_.run ? source_.run : tile_.rows; }
  Grid choose_grid(int workers) const;
  // With one panel of `panels`, which are this worker's.
  void multiply_block(const FinishArgs& finish, const Block& block, const Range& panels, int64_t panel,
                      std::byte* scratch) const noexcept;
  // Rows [first, first + count) of the block. `expanded`: where the panel goes stretch by stretch; null: it need not.
  void multiply(const Block& block, int64_t first, int64_t count, const std::byte* weights, std::byte* expanded,
                int64_t used, float* sums, const Ahead& ahead, const std::byte* follows) const noexcept;
  void fetch_operands(const FinishArgs& finish, int64_t panel, int64_t first_row, int64_t rows,
                      Ahead& ahead) const noexcept;
  void finish_strip(const FinishArgs& finish, const Block& block, int64_t row, int64_t count, int64_t panel,
                    float* sums, std::byte* scratch) const noexcept;

  Shape shape_;
  Source source_;
  const TileLoop& tile_;
  const GemmLoops& loops_;
  Panels panels_;
  int64_t panel_count_, padded_k_;
  int64_t part_k_, row_stride_, block_rows_, strip_rows_, block_k_;
  bool streams_;  // a panel is too long to wait in the cache: while one stretch of it is multiplied, the next arrives
  std::optional<ResultStore> store_;
  bool expands_whole_;  // a panel is expanded once a block; else stretch by stretch, for the only strip of a block
  // Offsets into the scratch; the sums come first.
  size_t strip_at_, store_at_, panel_at_, scales_at_, rows_at_, temp_at_, scratch_bytes_;
  int useful_workers_;
  std::vector<Grid> grids_;  // by number of workers
};

template <class RowSource>
void Gemm::run(const KernelCall& call, int64_t group, const FinishArgs& finish, const RowSource& rows) const noexcept {
  const Grid grid = grids_[static_cast<size_t>(call.workers)];
  const Range my_rows = share(shape_.m, grain(), call.worker / grid.panels, grid.rows);
  const Range my_panels = share(panel_count_, 1, call.worker % grid.panels, grid.panels);
  if (my_panels.begin == my_panels.end) return;
  const TileRegisters registers(tile_);
  const RowScratch scratch{call.scratch + rows_at_, reinterpret_cast<float*>(call.scratch + scales_at_),
                           call.scratch + temp_at_};
  const int64_t block_rows = source_.run ? block_rows_ : evenly(my_rows);
  for (int64_t first = my_rows.begin, count = 0; first < my_rows.end; first += count) {
    count = std::min({block_rows, my_rows.end - first, source_.image - first % source_.image});
    for (int64_t k = 0; k < padded_k_; k += part_k_) {
      const int64_t width = std::min(part_k_, shape_.k - k);
      const Block block{rows(RowPart{first, count, k, width}, scratch), group, first, count, k, padded(width)};
      for (int64_t panel = my_panels.begin; panel < my_panels.end; ++panel)
        multiply_block(finish, block, my_panels, panel, call.scratch);
    }
  }
}

}  // namespace yanrt::cpu
