#pragma once

#include "backends/cuda/kernels/gemm/gemm_args.h"

namespace yanrt::cuda {

// Each output channel sees one input channel, of which there are `per_channel` outputs.
struct DepthwiseArgs {
  ConvRows rows;            // without its byte counts
  const std::byte* weight;  // [out channels, weight_stride], f32; bf16 if `rounded`
  uint32_t numel, channels, per_channel, weight_stride;
  int32_t kernel_height;
  bool x_is_bf16;
  bool rounded;  // compute with x rounded to bf16
};
cudaError_t launch_conv2d_depthwise(const DepthwiseArgs& args, const Epilogue& epilogue, cudaStream_t stream);

}  // namespace yanrt::cuda
