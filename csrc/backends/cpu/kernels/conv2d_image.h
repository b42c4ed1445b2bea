// Receptive fields without a copy of each: the rows of x that a block of y's rows needs are brought into scratch once,
// with their borders, and the tile reads a field there in stretches, one a tap of the kernel.
#pragma once

#include <vector>

#include "backends/cpu/kernels/conv2d.h"
#include "backends/cpu/kernels/gemm.h"

namespace yanrt::cpu {

class ConvImage {
 public:
  ConvImage(const ConvShape& shape, const TileLoop& tile, const ToOperand& to_operand);

  // Are the channels whole steps of the tile, and the rows of y long enough to fill it?
  static bool suits(const ConvShape& shape, const TileLoop& tile);

  Gemm::Source source() const;
  // Pixels [first, first + count) of y: whole rows of one image.
  Rows rows(const std::byte* x, int64_t first, int64_t count, const RowScratch& scratch) const noexcept;

 private:
  int64_t lines_for(int64_t out_rows) const;
  void bring_line(const std::byte* image, int64_t y, std::byte* to) const noexcept;

  ConvShape shape_;
  ToOperand to_operand_;
  int64_t from_bytes_, to_bytes_;
  int64_t width_;       // pixels of a line, with its borders
  int64_t block_rows_;  // rows of y
  std::vector<int64_t> taps_;
};

}  // namespace yanrt::cpu
