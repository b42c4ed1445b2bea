#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

namespace yanrt::cuda {

struct OperandRowsArgs {
  const std::byte* x;
  bool x_is_bf16;
  int64_t x_stride;  // elements
  uint32_t rows, k, padded_k;
  std::byte* y;
  float* scales;  // E4M3 only: the row is y * scale
  float peak;     // E4M3 only: see OperandRows
};
cudaError_t launch_rows_to_bf16(const OperandRowsArgs& args, cudaStream_t stream);
cudaError_t launch_rows_to_e4m3(const OperandRowsArgs& args, cudaStream_t stream);

}  // namespace yanrt::cuda
