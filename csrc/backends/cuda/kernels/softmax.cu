// e^x / sum e^x over each row: a block a row. A row of nothing but minus infinity yields zeros.
#include "backends/cuda/kernels/block.cuh"
#include "backends/cuda/kernels/softmax.h"

namespace yanrt::cuda {
namespace {

constexpr int kRowThreads = 128;

__global__ void __launch_bounds__(kRowThreads) softmax_kernel(SoftmaxArgs args) {
  const uint32_t row = blockIdx.x;
  const std::byte* x = args.x + row * args.x_stride * (args.x_is_bf16 ? 2 : 4);
  std::byte* y = args.y + static_cast<size_t>(row) * args.d * (args.y_is_bf16 ? 2 : 4);
  float largest = -INFINITY;
  for (uint32_t i = threadIdx.x; i < args.d; i += kRowThreads) largest = fmaxf(largest, element(x, args.x_is_bf16, i));
  largest = block_max<kRowThreads>(largest);
  const float base = largest == -INFINITY ? 0.0f : largest;
  float sum = 0.0f;
  for (uint32_t i = threadIdx.x; i < args.d; i += kRowThreads) sum += expf(element(x, args.x_is_bf16, i) - base);
  sum = block_sum<kRowThreads>(sum);
  const float inverse = sum != 0.0f ? 1.0f / sum : 0.0f;  // NaN stays NaN
  for (uint32_t i = threadIdx.x; i < args.d; i += kRowThreads)
    set_element(y, args.y_is_bf16, i, expf(element(x, args.x_is_bf16, i) - base) * inverse);
}

}  // namespace

cudaError_t launch_softmax(const SoftmaxArgs& args, cudaStream_t stream) {
  return launch(softmax_kernel, {.grid = dim3(args.rows), .block = dim3(kRowThreads), .stream = stream}, args);
}

}  // namespace yanrt::cuda
