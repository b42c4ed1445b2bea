// Activations in the form a GEMM reads: 16-byte aligned rows of bf16, or of E4M3 with a scale each, padded with zeros.
#pragma once

#include "backends/cuda/kernel.h"
#include "backends/cuda/kernels/gemm/gemm_args.h"
#include "backends/cuda/kernels/gemm/operand_rows_args.h"
#include "runtime/plan.h"

namespace yanrt::cuda {

// Rows of x as a kernel's operand: where they lie, or converted into the scratch of the op.
class OperandRows {
 public:
  // `type`: bf16 or f8e4m3. x is `rows` rows of `k` elements, `x_stride` apart, at an address divisible by `alignment`.
  // `peak`: of E4M3, the magnitude that becomes 448, to which larger ones are cut; 0: each row has its own.
  OperandRows(DType type, DType x_type, int64_t rows, int64_t k, int64_t x_stride, size_t alignment, float peak = 0);

  uint32_t k_bytes() const;  // of a padded row
  size_t scratch_bytes() const;
  bool in_place() const { return in_place_; }

  struct Prepared {
    DenseRows rows;
    const float* scales = nullptr;
  };
  Prepared prepare(const std::byte* x, std::byte* scratch, cudaStream_t stream) const;

 private:
  DType type_;
  bool in_place_;
  OperandRowsArgs args_{};
};

}  // namespace yanrt::cuda
