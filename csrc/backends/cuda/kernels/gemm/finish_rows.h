#pragma once

#include "backends/cuda/kernels/gemm/gemm_args.h"

namespace yanrt::cuda {

// y = finish(sums): f32 [rows, columns], dense, an even number of columns.
cudaError_t launch_finish_rows(const float* sums, uint32_t rows, const Epilogue& epilogue, cudaStream_t stream);

}  // namespace yanrt::cuda
