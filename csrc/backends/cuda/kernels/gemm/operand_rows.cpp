#include "backends/cuda/kernels/gemm/operand_rows.h"

namespace yanrt::cuda {

OperandRows::OperandRows(DType type, DType x_type, int64_t rows, int64_t k, int64_t x_stride, size_t alignment,
                         float peak)
    : type_(type) {
  const auto per_chunk = static_cast<int64_t>(16 / size_of(type));
  in_place_ = type == DType::bf16 && x_type == DType::bf16 && k % per_chunk == 0 && x_stride % per_chunk == 0 &&
              alignment % 16 == 0;
  args_.x_is_bf16 = x_type == DType::bf16;
  args_.x_stride = x_stride;
  args_.peak = peak;
  args_.rows = static_cast<uint32_t>(rows);
  args_.k = static_cast<uint32_t>(k);
  args_.padded_k = static_cast<uint32_t>((k + per_chunk - 1) / per_chunk * per_chunk);
}

uint32_t OperandRows::k_bytes() const { return args_.padded_k * static_cast<uint32_t>(size_of(type_)); }

size_t OperandRows::scratch_bytes() const {
  if (in_place_) return 0;
  const size_t rows = align_up(static_cast<size_t>(args_.rows) * k_bytes());
  return rows + (type_ == DType::f8e4m3 ? align_up(args_.rows * sizeof(float)) : 0);
}

OperandRows::Prepared OperandRows::prepare(const std::byte* x, std::byte* scratch, cudaStream_t stream) const {
  if (in_place_) return {{x, args_.x_stride * static_cast<int64_t>(size_of(type_)), 0}, nullptr};
  OperandRowsArgs args = args_;
  args.x = x;
  args.y = scratch;
  const DenseRows rows{scratch, k_bytes(), 0};
  if (type_ == DType::bf16) {
    check(launch_rows_to_bf16(args, stream), "launch of rows_to_bf16");
    return {rows, nullptr};
  }
  args.scales = reinterpret_cast<float*>(scratch + align_up(static_cast<size_t>(args.rows) * k_bytes()));
  check(launch_rows_to_e4m3(args, stream), "launch of rows_to_e4m3");
  return {rows, args.scales};
}

}  // namespace yanrt::cuda
