// GEMM and convolution in f32 without tensor cores, for precision fp32: a block of 16x16 threads makes 64x64 sums.
// Every 128 of k the sums are added to others, so that the error grows with the square root of k / 128.
#include "backends/cuda/kernels/gemm/epilogue.cuh"
#include "backends/cuda/kernels/gemm/rows.cuh"

namespace yanrt::cuda {
namespace {

constexpr int kTile = 64, kTileK = 16, kThreads = 256, kPadded = kTile + 4, kPromote = 128;

template <class Rows>
__global__ void __launch_bounds__(kThreads) gemm_f32_kernel(Rows rows, GemmShape shape, Epilogue epilogue) {
  YANRT_SHARED(float, shared, [kTile][kPadded]);  // a k tile of A and one of B; in the end the sums
  float (*const tile_a)[kPadded] = shared;
  float (*const tile_b)[kPadded] = shared + kTileK;
  static_assert(2 * kTileK <= kTile);
  const int thread = static_cast<int>(threadIdx.x), across = thread % 16 * 4, down = thread / 16 * 4;
  const uint32_t first_row = blockIdx.x * kTile, first_column = blockIdx.y * kTile, group = blockIdx.z;
  const uint32_t k_end = shape.k_bytes / sizeof(float);
  // Each thread brings four k of one row of A and of one row of B.
  const int copied_row = thread / 4, copied_k = thread % 4 * 4;
  const typename CursorOf<Rows>::type cursor(rows, first_row + static_cast<uint32_t>(copied_row), shape.m, group);
  const uint32_t column = first_column + static_cast<uint32_t>(copied_row);
  const float* b = reinterpret_cast<const float*>(shape.b) + (static_cast<size_t>(group) * shape.n + column) * k_end;

  float sums[4][4] = {}, partial[4][4] = {};
  for (uint32_t k0 = 0; k0 < k_end; k0 += kTileK) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const uint32_t k = k0 + static_cast<uint32_t>(copied_k + i);
      const auto* a = k < k_end ? reinterpret_cast<const float*>(cursor.at(rows, k * sizeof(float))) : nullptr;
      tile_a[copied_k + i][copied_row] = a ? *a : 0.0f;
      tile_b[copied_k + i][copied_row] = k < k_end && column < shape.n ? b[k] : 0.0f;
    }
    __syncthreads();
#pragma unroll
    for (int k = 0; k < kTileK; ++k) {
      float from_a[4], from_b[4];
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        from_a[i] = tile_a[k][down + i];
        from_b[i] = tile_b[k][across + i];
      }
#pragma unroll
      for (int i = 0; i < 4; ++i)
#pragma unroll
        for (int j = 0; j < 4; ++j) partial[i][j] = fmaf(from_a[i], from_b[j], partial[i][j]);
    }
    __syncthreads();
    if ((k0 + kTileK) % kPromote == 0 || k0 + kTileK >= k_end)
#pragma unroll
      for (int i = 0; i < 4; ++i)
#pragma unroll
        for (int j = 0; j < 4; ++j) {
          sums[i][j] += partial[i][j];
          partial[i][j] = 0.0f;
        }
  }
#pragma unroll
  for (int i = 0; i < 4; ++i)
#pragma unroll
    for (int j = 0; j < 4; ++j) shared[down + i][across + j] = sums[i][j];
  __syncthreads();
  // By way of shared memory, neighbours in a warp store neighbours, and the epilogue is compiled once, not 16 times.
  const uint32_t row_origin = shape.stacked ? group * shape.m : 0, column_origin = shape.stacked ? 0 : group * shape.n;
#pragma unroll 1
  for (int index = thread; index < kTile * kTile; index += kThreads) {
    const int down_tile = index / kTile, across_tile = index % kTile;
    const uint32_t row = first_row + static_cast<uint32_t>(down_tile);
    const uint32_t out = first_column + static_cast<uint32_t>(across_tile);
    if (row < shape.m && out < shape.n)
      finish_one(epilogue, shared[down_tile][across_tile], row_origin + row, column_origin + out);
  }
}

template <class Rows>
cudaError_t launch_f32(const Rows& rows, const GemmShape& shape, const Epilogue& epilogue, cudaStream_t stream) {
  const dim3 grid((shape.m + kTile - 1) / kTile, (shape.n + kTile - 1) / kTile, shape.groups);
  return launch(gemm_f32_kernel<Rows>, {.grid = grid, .block = dim3(kThreads), .stream = stream}, rows, shape,
                epilogue);
}

}  // namespace

cudaError_t launch_gemm_f32(const DenseRows& rows, const GemmShape& shape, const Epilogue& epilogue,
                            cudaStream_t stream) {
  return launch_f32(rows, shape, epilogue, stream);
}
cudaError_t launch_conv_f32(const ConvRows& rows, const GemmShape& shape, const Epilogue& epilogue,
                            cudaStream_t stream) {
  return launch_f32(rows, shape, epilogue, stream);
}

}  // namespace yanrt::cuda
