// What a kernel knows of an operand before it runs: type, shape, strides. Pointers come at run time.
#pragma once

#include "core/dtype.h"
#include "core/shape.h"

namespace yanrt {

// A row of D values quantised to int8 (DType::i8): D codes, value / scale + 128 as an unsigned byte, then the scale
// (f32) at the next multiple of 4; rows start at multiples of 16. Codes lie in [1, 255], value = (code - 128) * scale.
// The scale is that of the row's largest magnitude, or of a calibrated peak, to which larger values are cut. The offset
// is what the processors' dot products take; the scale travels with its row through views of rows.
constexpr int64_t quantised_scale_at(int64_t width) { return (width + 3) / 4 * 4; }
constexpr int64_t quantised_row_bytes(int64_t width) { return (quantised_scale_at(width) + 4 + 15) / 16 * 16; }

struct TensorDesc {
  DType dtype = DType::f32;
  Dims shape;
  Dims strides;    // in elements; 0 along broadcast dimensions
  float peak = 0;  // of i8: the magnitude that becomes code 127 in every row; 0: the largest of each row does

  static TensorDesc dense(DType dtype, const Dims& shape) { return {dtype, shape, dense_strides(shape), 0}; }
  // As a kernel writes it: dense, but for the scales between the rows of i8.
  static TensorDesc of(DType dtype, const Dims& shape) {
    TensorDesc desc = dense(dtype, shape);
    if (dtype != DType::i8) return desc;
    int64_t step = quantised_row_bytes(shape[-1]);
    for (int i = shape.rank() - 2; i >= 0; --i) {
      desc.strides[i] = step;
      step *= shape[i];
    }
    return desc;
  }
  int64_t numel() const { return shape.numel(); }
  // Of a tensor that is as a kernel writes it.
  size_t bytes() const {
    if (dtype == DType::i8) return static_cast<size_t>(numel() / shape[-1] * quantised_row_bytes(shape[-1]));
    return static_cast<size_t>(numel()) * size_of(dtype);
  }

  // Row-major without gaps (dimensions of extent 1 may have any stride).
  bool is_dense() const {
    int64_t step = 1;
    for (int i = shape.rank() - 1; i >= 0; --i) {
      if (shape[i] != 1 && strides[i] != step) return false;
      step *= shape[i];
    }
    return true;
  }
  // The innermost dimension has unit stride.
  bool inner_dense() const { return shape.rank() == 0 || shape[-1] == 1 || strides[-1] == 1; }

  // As a matrix of `numel / shape[-1]` rows: true if one constant distance leads from row to row. The distance goes to
  // `row_stride` (elements).
  bool as_rows(int64_t* row_stride) const {
    if (!inner_dense()) return false;
    int64_t expected = -1;  // stride the next outer dimension must have
    *row_stride = shape.rank() ? shape[-1] : 1;
    for (int i = shape.rank() - 2; i >= 0; --i) {
      if (shape[i] == 1) continue;
      if (expected < 0)
        *row_stride = strides[i];
      else if (strides[i] != expected)
        return false;
      expected = strides[i] * shape[i];
    }
    return true;
  }
};

}  // namespace yanrt
