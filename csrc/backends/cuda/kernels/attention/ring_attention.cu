#include "backends/cuda/kernels/attention/attention_mma.cuh"
#include "backends/cuda/kernels/attention/attention_simt.cuh"
#include "backends/cuda/kernels/grid.h"

namespace yanrt::cuda {
namespace {

// One thread an element of k and v of the window's first frames.
__global__ void ring_commit_kernel(const __grid_constant__ RingAttentionArgs args) {
  uint32_t rest = blockIdx.x * blockDim.x + threadIdx.x;
  const uint32_t i = rest % args.d, head = rest / args.d % args.heads;
  rest /= args.d * args.heads;
  const uint32_t p = rest % args.positions, w = rest / args.positions % args.commit;
  const uint32_t entry = rest / args.positions / args.commit;
  if (entry >= args.batch) return;
  const RingKeys keys(args, entry, head);
  if (w < keys.frames().missing) return;
  const uint32_t slot = RingFrames::slot(args, keys.frames().frame + w);
  const int64_t at =
      (((static_cast<int64_t>(entry) * args.slots + slot) * args.positions + p) * args.heads + head) * args.d + i;
  const float k = element_of(keys.window(args.k, w, p, args.k.type), i);
  const float v = element_of(keys.window(args.v, w, p, args.v.type), i);
  if (args.ring_type == DType::f8e4m3) {
    reinterpret_cast<uint8_t*>(args.k_ring)[at] = float_to_e4m3(k);
    reinterpret_cast<uint8_t*>(args.v_ring)[at] = float_to_e4m3(v);
  } else {
    set_element(args.k_ring, args.ring_type == DType::bf16, at, k);
    set_element(args.v_ring, args.ring_type == DType::bf16, at, v);
  }
}

}  // namespace

cudaError_t launch_ring_position_simt(const RingAttentionArgs& args, cudaStream_t stream) {
  return launch_attention_simt_for<RingPositionProblem>(args, stream);
}
cudaError_t launch_ring_frame_simt(const RingAttentionArgs& args, cudaStream_t stream) {
  return launch_attention_simt_for<RingFrameProblem>(args, stream);
}
cudaError_t launch_ring_frame_mma(const RingAttentionArgs& args, cudaStream_t stream) {
  return launch_attention_mma_for<RingFrameProblem>(args, stream);
}

cudaError_t launch_ring_commit(const RingAttentionArgs& args, cudaStream_t stream) {
  const int64_t threads = int64_t{args.batch} * args.commit * args.positions * args.heads * args.d;
  return launch(ring_commit_kernel, {.grid = dim3(blocks_for(threads)), .block = dim3(kBlockThreads), .stream = stream},
                args);
}

}  // namespace yanrt::cuda
