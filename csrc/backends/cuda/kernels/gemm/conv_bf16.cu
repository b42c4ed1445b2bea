// Convolution as implicit GEMM in bf16: the rows of A are receptive fields, gathered on the way into shared memory.
#include "backends/cuda/kernels/gemm/tensor_tile.cuh"

namespace yanrt::cuda {

cudaError_t launch_conv_bf16(Tile tile, const ConvRows& rows, const GemmShape& shape, const Epilogue& epilogue,
                             cudaStream_t stream) {
  return launch_gemm<Bf16Step>(tile, rows, shape, epilogue, stream);
}

}  // namespace yanrt::cuda
