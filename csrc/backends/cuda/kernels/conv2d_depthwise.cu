// One thread an element of y: a depthwise convolution is bound by memory, neighbouring threads read neighbouring
// channels.
#include "backends/cuda/kernels/block.cuh"
#include "backends/cuda/kernels/conv2d_depthwise.h"
#include "backends/cuda/kernels/gemm/epilogue.cuh"
#include "backends/cuda/kernels/grid.h"

namespace yanrt::cuda {
namespace {

__global__ void conv2d_depthwise_kernel(DepthwiseArgs args, Epilogue epilogue) {
  const uint32_t index = blockIdx.x * blockDim.x + threadIdx.x;
  if (index >= args.numel) return;
  const ConvRows& rows = args.rows;
  const uint32_t out_channels = epilogue.columns, out_channel = index % out_channels, pixel = index / out_channels;
  const uint32_t channel = out_channel / args.per_channel;
  const auto out_x = static_cast<int32_t>(pixel % static_cast<uint32_t>(rows.out_width));
  const auto out_y =
      static_cast<int32_t>(pixel / static_cast<uint32_t>(rows.out_width) % static_cast<uint32_t>(rows.out_height));
  const uint32_t entry = pixel / static_cast<uint32_t>(rows.out_width * rows.out_height);
  const std::byte* weight =
      args.weight + static_cast<size_t>(out_channel) * args.weight_stride * (args.rounded ? 2 : 4);
  float sum = 0.0f;
  for (int32_t i = 0; i < args.kernel_height; ++i) {
    const int32_t y = out_y * rows.stride_y - rows.pad_top + i * rows.dilation_y;
    if (y < 0 || y >= rows.height) continue;
    for (int32_t j = 0; j < rows.kernel_width; ++j) {
      const int32_t x = out_x * rows.stride_x - rows.pad_left + j * rows.dilation_x;
      if (x < 0 || x >= rows.width) continue;
      const int64_t at = ((static_cast<int64_t>(entry) * rows.height + y) * rows.width + x) * args.channels + channel;
      float value = element(rows.x, args.x_is_bf16, at);
      if (args.rounded) value = __bfloat162float(__float2bfloat16_rn(value));
      sum = fmaf(value, element(weight, args.rounded, i * rows.kernel_width + j), sum);
    }
  }
  finish_one(epilogue, sum, pixel, out_channel);
}

}  // namespace

cudaError_t launch_conv2d_depthwise(const DepthwiseArgs& args, const Epilogue& epilogue, cudaStream_t stream) {
  return launch(conv2d_depthwise_kernel,
                {.grid = dim3(blocks_for(args.numel)), .block = dim3(kBlockThreads), .stream = stream}, args, epilogue);
}

}  // namespace yanrt::cuda
