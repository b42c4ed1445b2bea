#include "backends/cuda/kernels/block.cuh"
#include "backends/cuda/kernels/gemm/operand_rows_args.h"
#include "backends/cuda/kernels/grid.h"

namespace yanrt::cuda {
namespace {

constexpr int kRowThreads = 128;

// One thread two neighbours.
__global__ void rows_to_bf16_kernel(OperandRowsArgs args) {
  const uint32_t pairs = args.padded_k / 2;
  const uint64_t index = static_cast<uint64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  const auto row = static_cast<uint32_t>(index / pairs), k = static_cast<uint32_t>(index % pairs) * 2;
  if (row >= args.rows) return;
  const std::byte* x = args.x + row * args.x_stride * (args.x_is_bf16 ? 2 : 4);
  const float low = k < args.k ? element(x, args.x_is_bf16, k) : 0.0f;
  const float high = k + 1 < args.k ? element(x, args.x_is_bf16, k + 1) : 0.0f;
  store32(args.y + (static_cast<size_t>(row) * args.padded_k + k) * 2, pack_bf16(low, high));
}

// A block a row: the peak, or else the largest magnitude, becomes 448.
__global__ void __launch_bounds__(kRowThreads) rows_to_e4m3_kernel(OperandRowsArgs args) {
  const uint32_t row = blockIdx.x;
  const std::byte* x = args.x + row * args.x_stride * (args.x_is_bf16 ? 2 : 4);
  float largest = args.peak;
  if (args.peak == 0.0f) {
    for (uint32_t k = threadIdx.x; k < args.k; k += kRowThreads)
      largest = fmaxf(largest, fabsf(element(x, args.x_is_bf16, k)));
    largest = block_max<kRowThreads>(largest);
  }
  const float scale = e4m3_scale(largest), inverse = 1.0f / scale;
  for (uint32_t k = threadIdx.x * 4; k < args.padded_k; k += kRowThreads * 4) {
    float v[4];
#pragma unroll
    for (uint32_t i = 0; i < 4; ++i) v[i] = k + i < args.k ? element(x, args.x_is_bf16, k + i) * inverse : 0.0f;
    store32(args.y + static_cast<size_t>(row) * args.padded_k + k, pack_e4m3(v[0], v[1], v[2], v[3]));
  }
  if (threadIdx.x == 0) args.scales[row] = scale;
}

}  // namespace

cudaError_t launch_rows_to_bf16(const OperandRowsArgs& args, cudaStream_t stream) {
  const int64_t threads = static_cast<int64_t>(args.rows) * (args.padded_k / 2);
  return launch(rows_to_bf16_kernel,
                {.grid = dim3(blocks_for(threads)), .block = dim3(kBlockThreads), .stream = stream}, args);
}

cudaError_t launch_rows_to_e4m3(const OperandRowsArgs& args, cudaStream_t stream) {
  return launch(rows_to_e4m3_kernel, {.grid = dim3(args.rows), .block = dim3(kRowThreads), .stream = stream}, args);
}

}  // namespace yanrt::cuda
