// A block a row; the row is read three times, from the caches after the first.
#include "backends/cuda/kernels/block.cuh"
#include "backends/cuda/kernels/norms.h"

namespace yanrt::cuda {
namespace {

constexpr int kNormThreads = 128;

// The row quantised, its values rounded to bf16 first as if they had been stored. d is a multiple of 16.
template <class Value>
__device__ __forceinline__ void write_e4m3(const RowNormArgs& args, uint32_t row, const Value& value) {
  const auto rounded = [&](uint32_t i) { return __bfloat162float(__float2bfloat16_rn(value(i))); };
  float largest = args.peak;
  if (args.peak == 0.0f) {
    for (uint32_t i = threadIdx.x; i < args.d; i += kNormThreads) largest = fmaxf(largest, fabsf(rounded(i)));
    largest = block_max<kNormThreads>(largest);
  }
  const float scale = e4m3_scale(largest), inverse = 1.0f / scale;
  for (uint32_t i = threadIdx.x * 4; i < args.d; i += kNormThreads * 4)
    store32(
        args.y + static_cast<size_t>(row) * args.d + i,
        pack_e4m3(rounded(i) * inverse, rounded(i + 1) * inverse, rounded(i + 2) * inverse, rounded(i + 3) * inverse));
  if (threadIdx.x == 0) args.row_scales[row] = scale;
}

__global__ void __launch_bounds__(kNormThreads) row_norm_kernel(RowNormArgs args) {
  const uint32_t row = blockIdx.x;
  const std::byte* x = args.x + row * args.x_stride * (args.x_is_bf16 ? 2 : 4);
  float mean = 0.0f;
  if (args.centred) {
    float sum = 0.0f;
    for (uint32_t i = threadIdx.x; i < args.d; i += kNormThreads) sum += element(x, args.x_is_bf16, i);
    mean = block_sum<kNormThreads>(sum) / static_cast<float>(args.d);
  }
  float squares = 0.0f;
  for (uint32_t i = threadIdx.x; i < args.d; i += kNormThreads) {
    const float centred = element(x, args.x_is_bf16, i) - mean;
    squares = fmaf(centred, centred, squares);
  }
  const float variance = block_sum<kNormThreads>(squares) / static_cast<float>(args.d);
  const float inverse = 1.0f / sqrtf(variance + args.eps);
  const uint32_t group = row / args.group_rows;
  const float* scale = args.scale ? args.scale + static_cast<size_t>(group % args.scale_groups) * args.d : nullptr;
  const float* shift = args.shift ? args.shift + static_cast<size_t>(group % args.shift_groups) * args.d : nullptr;
  const auto value = [&](uint32_t i) {
    const float normal = (element(x, args.x_is_bf16, i) - mean) * inverse;
    return fmaf(normal, scale ? scale[i] : 1.0f, shift ? shift[i] : 0.0f);
  };
  if (args.row_scales) {
    write_e4m3(args, row, value);
    return;
  }
  std::byte* y = args.y + static_cast<size_t>(row) * args.d * (args.y_is_bf16 ? 2 : 4);
  for (uint32_t i = threadIdx.x; i < args.d; i += kNormThreads) set_element(y, args.y_is_bf16, i, value(i));
}

}  // namespace

cudaError_t launch_row_norm(const RowNormArgs& args, cudaStream_t stream) {
  return launch(row_norm_kernel, {.grid = dim3(args.rows), .block = dim3(kNormThreads), .stream = stream}, args);
}

}  // namespace yanrt::cuda
