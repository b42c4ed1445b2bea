// What follows a product by cuBLASLt: sums in memory take the epilogue that own GEMMs apply in registers.
#include "backends/cuda/kernels/gemm/epilogue.cuh"
#include "backends/cuda/kernels/gemm/finish_rows.h"
#include "backends/cuda/kernels/grid.h"

namespace yanrt::cuda {
namespace {

// One thread two neighbours; `columns` is even.
__global__ void finish_rows_kernel(const float* sums, uint32_t rows, Epilogue epilogue) {
  const uint32_t pairs = epilogue.columns / 2;
  const uint64_t index = static_cast<uint64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  const auto row = static_cast<uint32_t>(index / pairs), column = static_cast<uint32_t>(index % pairs) * 2;
  if (row >= rows) return;
  const uint2 pair = load64(sums + static_cast<size_t>(row) * epilogue.columns + column);
  finish_pair<true>(epilogue, __uint_as_float(pair.x), __uint_as_float(pair.y), row, column, epilogue.columns);
}

}  // namespace

cudaError_t launch_finish_rows(const float* sums, uint32_t rows, const Epilogue& epilogue, cudaStream_t stream) {
  const int64_t threads = static_cast<int64_t>(rows) * (epilogue.columns / 2);
  return launch(finish_rows_kernel, {.grid = dim3(blocks_for(threads)), .block = dim3(kBlockThreads), .stream = stream},
                sums, rows, epilogue);
}

}  // namespace yanrt::cuda
