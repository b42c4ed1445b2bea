// What a kernel knows of an operand before it runs: type, shape, strides. Pointers come at run time.
#pragma once

#include "core/dtype.h"
#include "core/shape.h"

namespace yanrt {

struct TensorDesc {
  DType dtype = DType::f32;
  Dims shape;
  Dims strides;  // in elements; 0 along broadcast dimensions

  static TensorDesc dense(DType dtype, const Dims& shape) { return {dtype, shape, dense_strides(shape)}; }
  int64_t numel() const { return shape.numel(); }
  size_t bytes() const { return static_cast<size_t>(numel()) * size_of(dtype); }  // when dense

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
