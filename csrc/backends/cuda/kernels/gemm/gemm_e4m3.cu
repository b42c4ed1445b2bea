// y = finish(A B^T) in E4M3, a scale a row of A and a row of B.
#include "backends/cuda/kernels/gemm/tensor_tile.cuh"

namespace yanrt::cuda {

cudaError_t launch_gemm_e4m3(bool native, Tile tile, const DenseRows& rows, const GemmShape& shape,
                             const Epilogue& epilogue, cudaStream_t stream) {
  return native ? launch_gemm<E4m3Step<E4m3Path::native>>(tile, rows, shape, epilogue, stream)
                : launch_gemm<E4m3Step<E4m3Path::widened>>(tile, rows, shape, epilogue, stream);
}

}  // namespace yanrt::cuda
