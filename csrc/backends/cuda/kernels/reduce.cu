// Reductions along one dimension, in one order whatever the grid: a warp a result where the reduced elements are
// neighbours, else a thread a result, neighbouring threads on neighbouring elements.
#include "backends/cuda/device/device.cuh"
#include "backends/cuda/kernels/grid.h"
#include "backends/cuda/kernels/softmax.h"

namespace yanrt::cuda {
namespace {

// NaN wins, as in PyTorch.
template <class T>
__device__ __forceinline__ T combined(Reduction kind, T a, T b) {
  switch (kind) {
    case Reduction::max: return a > b || a != a ? a : b;
    case Reduction::min: return a < b || a != a ? a : b;
    default: return a + b;
  }
}

template <class T>
__device__ __forceinline__ T finished(const ReduceArgs& args, T value) {
  return args.kind == Reduction::mean ? value / static_cast<T>(args.n) : value;
}

// Lanes take every 32nd element, then meet. Each starts from an element that exists, which max and min do not mind to
// see twice; a sum starts from nothing.
template <class T>
__global__ void reduce_neighbours_kernel(ReduceArgs args) {
  const uint32_t lane = threadIdx.x % 32, result = blockIdx.x * (blockDim.x / 32) + threadIdx.x / 32;
  if (result >= args.outer) return;
  const T* x = reinterpret_cast<const T*>(args.x) + static_cast<size_t>(result) * args.n;
  const bool adds = args.kind == Reduction::sum || args.kind == Reduction::mean;
  T value = adds ? T(0) : x[0];
  for (uint32_t i = lane; i < args.n; i += 32) value = combined(args.kind, value, x[i]);
#pragma unroll
  for (int step = 16; step > 0; step /= 2) value = combined(args.kind, value, __shfl_xor_sync(kFullWarp, value, step));
  if (lane == 0) reinterpret_cast<T*>(args.y)[result] = finished(args, value);
}

// Partial sums of kPartial elements keep the error of a long sum small.
constexpr uint32_t kPartial = 64;

template <class T>
__global__ void reduce_strided_kernel(ReduceArgs args) {
  const uint32_t index = blockIdx.x * blockDim.x + threadIdx.x;
  const uint32_t outer = index / args.inner, inner = index % args.inner;
  if (outer >= args.outer) return;
  const T* x = reinterpret_cast<const T*>(args.x) + static_cast<size_t>(outer) * args.n * args.inner + inner;
  const bool adds = args.kind == Reduction::sum || args.kind == Reduction::mean;
  T value = adds ? T(0) : x[0];
  for (uint32_t first = 0; first < args.n; first += kPartial) {
    T partial = x[static_cast<size_t>(first) * args.inner];
    for (uint32_t i = first + 1; i < min(first + kPartial, args.n); ++i)
      partial = combined(args.kind, partial, x[static_cast<size_t>(i) * args.inner]);
    value = combined(args.kind, value, partial);
  }
  reinterpret_cast<T*>(args.y)[index] = finished(args, value);
}

template <class T>
cudaError_t launch_of(const ReduceArgs& args, cudaStream_t stream) {
  const bool neighbours = args.inner == 1;
  const int64_t threads = neighbours ? int64_t{args.outer} * 32 : int64_t{args.outer} * args.inner;
  return launch(neighbours ? reduce_neighbours_kernel<T> : reduce_strided_kernel<T>,
                {.grid = dim3(blocks_for(threads)), .block = dim3(kBlockThreads), .stream = stream}, args);
}

}  // namespace

cudaError_t launch_reduce(const ReduceArgs& args, cudaStream_t stream) {
  return args.is_integer ? launch_of<int64_t>(args, stream) : launch_of<float>(args, stream);
}

}  // namespace yanrt::cuda
