// Activations in the form a tile reads.
#pragma once

#include <cstdint>
#include <vector>

#include "backends/cpu/isa/loops.h"
#include "backends/cpu/kernel.h"

namespace yanrt::cpu {

// Consecutive rows of x in the tile's form; strides in elements. Rows of integers have a scale each. Rows may come in
// runs, each a `run_stride` behind the one before, and each row in stretches: the pixels of an image and their fields.
struct Rows {
  const std::byte* data;
  int64_t stride;
  const float* scales = nullptr;
  int64_t scale_stride = 0;
  int64_t run = INT64_MAX, run_stride = 0;
  const std::vector<int64_t>* stretches = nullptr;  // null: one, of all k
};

// Brings elements of x into the tile's form. bf16 precision on a processor without bf16 instructions reads f32 that has
// been rounded to bf16. Integers are made of whole rows: see RowQuantiser. So is f32 in three parts.
class ToOperand {
 public:
  ToOperand(const ConvertLoops& convert, const TileLoop& tile, DType from);
  bool is_copy() const { return kind_ == Kind::copy; }
  size_t from_size() const { return from_size_; }
  size_t to_size() const { return to_size_; }
  // Any piece of a row, unless the tile needs rows in one piece.
  void operator()(const std::byte* from, std::byte* to, int64_t count) const;
  bool needs_rows() const { return kind_ == Kind::split; }
  // `count` rows of `width` elements, with zeros up to `padded`, a multiple of the tile's depth. Strides in elements.
  void rows(const std::byte* from, int64_t from_stride, int64_t count, int64_t width, std::byte* to, int64_t to_stride,
            int64_t padded) const;

 private:
  enum class Kind : uint8_t { copy, narrow, widen, round, split };
  const ConvertLoops& convert_;
  decltype(TileLoop::split) split_;
  size_t from_size_, to_size_;
  Kind kind_;
};

// Quantises rows of f32 or bf16 to int8, or takes rows that are (DType::i8), in the form of an integer tile. `peak`:
// see QuantiseLoops.
class RowQuantiser {
 public:
  RowQuantiser(const QuantiseLoops& loops, const TileLoop& tile, DType from, float peak);
  // Every row has the same scale.
  bool is_static() const { return peak_ > 0; }
  // Quantised rows of this form need no copy.
  bool in_place(int64_t width) const;
  // Bytes of `codes` below.
  int64_t code_bytes(int64_t width) const { return widens_ ? width : 0; }
  // One row of `width` elements; returns its scale. `codes`: scratch.
  float operator()(const std::byte* row, std::byte* to, int64_t width, uint8_t* codes) const;
  static float scale_of(const std::byte* row, int64_t width);  // of a row of DType::i8

 private:
  const QuantiseLoops& loops_;
  DType from_;
  float peak_;
  bool widens_;  // the tile reads 16 bits
  int64_t depth_;
};

}  // namespace yanrt::cpu
