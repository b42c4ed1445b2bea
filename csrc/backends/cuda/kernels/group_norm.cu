#include "backends/cuda/kernels/block.cuh"
#include "backends/cuda/kernels/functions.cuh"
#include "backends/cuda/kernels/grid.h"
#include "backends/cuda/kernels/norms.h"

namespace yanrt::cuda {
namespace {

// Mean and sum of squared deviations of one chunk of one group, in two passes over it.
__global__ void __launch_bounds__(kBlockThreads) group_norm_partial_kernel(GroupNormArgs args) {
  const uint32_t chunk = blockIdx.x, group = blockIdx.y, entry = blockIdx.z;
  const uint32_t width = args.channels / args.groups, first = chunk * args.chunk_pixels;
  const uint32_t pixels = min(args.chunk_pixels, args.pixels - first), count = pixels * width;
  const int64_t origin =
      (static_cast<int64_t>(entry) * args.pixels + first) * args.channels + static_cast<int64_t>(group) * width;
  const auto value = [&](uint32_t i) {
    return element(args.x, args.x_is_bf16, origin + static_cast<int64_t>(i / width) * args.channels + i % width);
  };
  float sum = 0.0f;
  for (uint32_t i = threadIdx.x; i < count; i += kBlockThreads) sum += value(i);
  const float mean = block_sum<kBlockThreads>(sum) / static_cast<float>(count);
  float squares = 0.0f;
  for (uint32_t i = threadIdx.x; i < count; i += kBlockThreads) {
    const float centred = value(i) - mean;
    squares = fmaf(centred, centred, squares);
  }
  squares = block_sum<kBlockThreads>(squares);
  if (threadIdx.x == 0) {
    float* partial = args.partial + ((static_cast<size_t>(entry) * args.groups + group) * args.chunks + chunk) * 2;
    partial[0] = mean;
    partial[1] = squares;
  }
}

struct Statistics {
  float mean, inverse;
};

// Merges the chunks of a group by Chan's rule, in their order.
__device__ Statistics merged(const GroupNormArgs& args, uint32_t entry, uint32_t group) {
  const uint32_t width = args.channels / args.groups;
  const float* partial = args.partial + (static_cast<size_t>(entry) * args.groups + group) * args.chunks * 2;
  float mean = 0.0f, squares = 0.0f, count = 0.0f;
  for (uint32_t chunk = 0; chunk < args.chunks; ++chunk) {
    const uint32_t pixels = min(args.chunk_pixels, args.pixels - chunk * args.chunk_pixels);
    const float added = static_cast<float>(pixels * width), total = count + added;
    const float difference = partial[2 * chunk] - mean;
    mean += difference * (added / total);
    squares += partial[2 * chunk + 1] + difference * difference * (count * added / total);
    count = total;
  }
  return {mean, 1.0f / sqrtf(squares / count + args.eps)};
}

// A block goes through kBlockThreads * kEach elements of one batch entry; the statistics of all groups lie in shared
// memory.
constexpr uint32_t kEach = 8;

__global__ void __launch_bounds__(kBlockThreads) group_norm_apply_kernel(GroupNormArgs args) {
  YANRT_DYNAMIC_SHARED(shared);
  auto* statistics = reinterpret_cast<float*>(shared);
  const uint32_t entry = blockIdx.y, width = args.channels / args.groups;
  for (uint32_t group = threadIdx.x; group < args.groups; group += kBlockThreads) {
    const Statistics s = merged(args, entry, group);
    statistics[2 * group] = s.mean;
    statistics[2 * group + 1] = s.inverse;
  }
  __syncthreads();
  const uint32_t count = args.pixels * args.channels, first = blockIdx.x * kBlockThreads * kEach + threadIdx.x;
  const int64_t origin = static_cast<int64_t>(entry) * count;
  for (uint32_t e = 0; e < kEach; ++e) {
    const uint32_t i = first + e * kBlockThreads;
    if (i >= count) return;
    const uint32_t channel = i % args.channels, group = channel / width;
    const float normal =
        (element(args.x, args.x_is_bf16, origin + i) - statistics[2 * group]) * statistics[2 * group + 1];
    const float scaled = fmaf(normal, args.scale ? args.scale[channel] : 1.0f, args.shift ? args.shift[channel] : 0.0f);
    set_element(args.y, args.y_is_bf16, origin + i, activate(args.act, scaled));
  }
}

}  // namespace

cudaError_t launch_group_norm(const GroupNormArgs& args, cudaStream_t stream) {
  const cudaError_t status = launch(
      group_norm_partial_kernel,
      {.grid = dim3(args.chunks, args.groups, args.batch), .block = dim3(kBlockThreads), .stream = stream}, args);
  if (status != cudaSuccess) return status;
  return launch(group_norm_apply_kernel,
                {.grid = dim3(blocks_for(int64_t{args.pixels} * args.channels, kBlockThreads * kEach), args.batch),
                 .block = dim3(kBlockThreads),
                 .shared_bytes = args.groups * 2 * sizeof(float),
                 .stream = stream},
                args);
}

}  // namespace yanrt::cuda
