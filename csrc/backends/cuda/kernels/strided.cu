// Copying, padding and gathering: one thread an element, or 16 bytes where everything is aligned to them.
#include "backends/cuda/device/device.cuh"
#include "backends/cuda/kernels/grid.h"
#include "backends/cuda/kernels/strided_args.h"

namespace yanrt::cuda {
namespace {

__device__ __forceinline__ uint32_t flat_index() { return blockIdx.x * blockDim.x + threadIdx.x; }

// Moves a value of 1 to 16 bytes.
template <class T>
__device__ __forceinline__ void move(T* to, const T* from) {
  if constexpr (sizeof(T) == 16) {
    store128(to, load128(from));
  } else {
    *to = *from;
  }
}

struct NarrowFloat {
  using From = float;
  using To = __nv_bfloat16;
  static __device__ __forceinline__ void apply(To* to, const From* from) { *to = __float2bfloat16_rn(*from); }
};
struct WidenFloat {
  using From = __nv_bfloat16;
  using To = float;
  static __device__ __forceinline__ void apply(To* to, const From* from) { *to = __bfloat162float(*from); }
};
template <class T>
struct Move {
  using From = T;
  using To = T;
  static __device__ __forceinline__ void apply(T* to, const T* from) { move(to, from); }
};

template <class Convert>
__global__ void copy_kernel(CopyArgs args) {
  uint32_t rest = flat_index();
  if (rest >= args.numel) return;
  int64_t from = 0, to = 0;
  for (int i = args.rank - 1; i >= 0; --i) {
    const uint32_t at = rest % args.shape[i];
    rest /= args.shape[i];
    from += at * args.x_strides[i];
    to += at * args.y_strides[i];
  }
  Convert::apply(reinterpret_cast<typename Convert::To*>(args.y) + to,
                 reinterpret_cast<const typename Convert::From*>(args.x) + from);
}

template <class T>
__global__ void pad_kernel(PadArgs args) {
  const uint32_t index = flat_index();
  if (index >= args.numel) return;
  uint32_t rest = index;
  int64_t from = 0;
  bool inside = true;
  for (int i = args.rank - 1; i >= 0; --i) {
    const int64_t at = rest % args.shape[i] - args.before[i];
    rest /= args.shape[i];
    inside = inside && at >= 0 && at < args.x_shape[i];
    from += at * args.x_strides[i];
  }
  reinterpret_cast<T*>(args.y)[index] = inside ? reinterpret_cast<const T*>(args.x)[from] : static_cast<T>(args.value);
}

template <class T>
__global__ void gather_kernel(GatherArgs args) {
  const uint32_t index = flat_index(), row = index / args.row_units, unit = index % args.row_units;
  if (row >= args.rows) return;
  const int64_t wanted = args.index[row];
  const int64_t entry = wanted < 0 ? 0 : (wanted >= args.entries ? args.entries - 1 : wanted);
  move(reinterpret_cast<T*>(args.y) + index, reinterpret_cast<const T*>(args.table) + entry * args.row_units + unit);
}

template <class Kernel, class Args>
cudaError_t launch_flat(Kernel kernel, uint32_t threads, const Args& args, cudaStream_t stream) {
  return launch(kernel, {.grid = dim3(blocks_for(threads)), .block = dim3(kBlockThreads), .stream = stream}, args);
}

}  // namespace

cudaError_t launch_copy(CopyForm form, const CopyArgs& args, cudaStream_t stream) {
  switch (form) {
    case CopyForm::b1: return launch_flat(copy_kernel<Move<uint8_t>>, args.numel, args, stream);
    case CopyForm::b2: return launch_flat(copy_kernel<Move<uint16_t>>, args.numel, args, stream);
    case CopyForm::b4: return launch_flat(copy_kernel<Move<uint32_t>>, args.numel, args, stream);
    case CopyForm::b8: return launch_flat(copy_kernel<Move<uint64_t>>, args.numel, args, stream);
    case CopyForm::b16: return launch_flat(copy_kernel<Move<uint4>>, args.numel, args, stream);
    case CopyForm::f32_to_bf16: return launch_flat(copy_kernel<NarrowFloat>, args.numel, args, stream);
    case CopyForm::bf16_to_f32: return launch_flat(copy_kernel<WidenFloat>, args.numel, args, stream);
  }
  return cudaErrorInvalidValue;
}

cudaError_t launch_pad(int bytes, const PadArgs& args, cudaStream_t stream) {
  switch (bytes) {
    case 1: return launch_flat(pad_kernel<uint8_t>, args.numel, args, stream);
    case 2: return launch_flat(pad_kernel<uint16_t>, args.numel, args, stream);
    case 4: return launch_flat(pad_kernel<uint32_t>, args.numel, args, stream);
    default: return launch_flat(pad_kernel<uint64_t>, args.numel, args, stream);
  }
}

cudaError_t launch_gather(int bytes, const GatherArgs& args, cudaStream_t stream) {
  const uint32_t threads = args.rows * args.row_units;
  switch (bytes) {
    case 1: return launch_flat(gather_kernel<uint8_t>, threads, args, stream);
    case 2: return launch_flat(gather_kernel<uint16_t>, threads, args, stream);
    case 4: return launch_flat(gather_kernel<uint32_t>, threads, args, stream);
    case 8: return launch_flat(gather_kernel<uint64_t>, threads, args, stream);
    default: return launch_flat(gather_kernel<uint4>, threads, args, stream);
  }
}

}  // namespace yanrt::cuda
