// y = finish(A B^T) in bf16, for rows of memory.
#include "backends/cuda/kernels/gemm/tensor_tile.cuh"

namespace yanrt::cuda {

cudaError_t launch_gemm_bf16(Tile tile, const DenseRows& rows, const GemmShape& shape, const Epilogue& epilogue,
                             cudaStream_t stream) {
  return launch_gemm<Bf16Step>(tile, rows, shape, epilogue, stream);
}

}  // namespace yanrt::cuda
