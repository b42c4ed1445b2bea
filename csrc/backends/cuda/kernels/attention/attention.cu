#include "backends/cuda/kernels/attention/attention_mma.cuh"
#include "backends/cuda/kernels/attention/attention_simt.cuh"

namespace yanrt::cuda {

cudaError_t launch_attention_simt(const AttentionArgs& args, cudaStream_t stream) {
  return launch_attention_simt_for<AttentionProblem>(args, stream);
}
cudaError_t launch_attention_mma(const AttentionArgs& args, cudaStream_t stream) {
  return launch_attention_mma_for<AttentionProblem>(args, stream);
}

}  // namespace yanrt::cuda
