// GEMM on tensor cores by mma.sync, for every chip from sm_80 on. A block makes a tile of y; k is walked in tiles of 64
// bytes, kept in a ring of kStages in shared memory that cp.async fills ahead.
//
// In bytes, the fragments of m16n8k16 (bf16) and m16n8k32 (E4M3) are laid out alike, so one kernel serves both; they
// differ in the step that multiplies them. Rows of 64 bytes lie two to a line of shared memory; the XOR of the 16-byte
// chunk with the row makes every phase of ldmatrix free of bank conflicts.
#pragma once

#include "backends/cuda/kernels/gemm/epilogue.cuh"
#include "backends/cuda/kernels/gemm/rows.cuh"

namespace yanrt::cuda {

struct Bf16Step {
  static constexpr int kPromoteTiles = 0;  // the sums stay in the tensor core's f32
  static constexpr bool kMayQuantise = false;
  static __device__ __forceinline__ void multiply(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
    mma_m16n8k16_bf16(d, a, b0, b1);
  }
};

// Ada's sums of E4M3 products keep 13 fraction bits: every 128 of k they are added to sums in f32.
template <E4m3Path kPath>
struct E4m3Step {
  static constexpr int kPromoteTiles = 2;
  static constexpr bool kMayQuantise = true;
  static __device__ __forceinline__ void multiply(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
    mma_e4m3<kPath>(d, a, b0, b1);
  }
};

template <int kM, int kN, int kWarpM, int kWarpN>
struct TileShape {
  static constexpr int kRows = kM, kColumns = kN, kWarpRows = kWarpM, kWarpColumns = kWarpN;
  static constexpr int kWarpsDown = kM / kWarpM, kThreads = kWarpsDown * (kN / kWarpN) * 32;
  static constexpr int kStages = 3, kTileBytes = 64;  // of k
  static constexpr int kStageBytes = (kM + kN) * kTileBytes;
  static constexpr size_t kSharedBytes = kStages * kStageBytes;
};
using Tile64 = TileShape<64, 64, 32, 32>;
using Tile128 = TileShape<128, 128, 64, 32>;

__device__ __forceinline__ int swizzled(int row, int chunk) { return row * 64 + ((chunk ^ (row >> 1 & 3)) << 4); }

// The sums of one warp: fragments of 16x8.
template <class Shape>
struct WarpSums {
  static constexpr int kDown = Shape::kWarpRows / 16, kAcross = Shape::kWarpColumns / 8;
  float v[kDown][kAcross][4];

  __device__ __forceinline__ void clear() {
#pragma unroll
    for (int i = 0; i < kDown; ++i)
#pragma unroll
      for (int j = 0; j < kAcross; ++j)
#pragma unroll
        for (int e = 0; e < 4; ++e) v[i][j][e] = 0.0f;
  }
  __device__ __forceinline__ void take(WarpSums& other) {
#pragma unroll
    for (int i = 0; i < kDown; ++i)
#pragma unroll
      for (int j = 0; j < kAcross; ++j)
#pragma unroll
        for (int e = 0; e < 4; ++e) v[i][j][e] += other.v[i][j][e];
    other.clear();
  }
};

// sums += the k tile in shared memory.
template <class Step, class Shape>
__device__ __forceinline__ void multiply_tile(WarpSums<Shape>& sums, const unsigned char* a, const unsigned char* b,
                                              int warp_row, int warp_column, int lane) {
  using Sums = WarpSums<Shape>;
#pragma unroll
  for (int half = 0; half < 2; ++half) {  // 32 bytes of k
    uint32_t fragments_a[Sums::kDown][4], fragments_b[Sums::kAcross / 2][4];
#pragma unroll
    for (int i = 0; i < Sums::kDown; ++i)
      ldmatrix_x4(fragments_a[i], a + swizzled(warp_row + i * 16 + (lane & 15), half * 2 + (lane >> 4)));
#pragma unroll
    for (int j = 0; j < Sums::kAcross / 2; ++j)
      ldmatrix_x4(fragments_b[j],
                  b + swizzled(warp_column + j * 16 + (lane & 7) + (lane >> 4) * 8, half * 2 + (lane >> 3 & 1)));
#pragma unroll
    for (int i = 0; i < Sums::kDown; ++i)
#pragma unroll
      for (int j = 0; j < Sums::kAcross; ++j)
        Step::multiply(sums.v[i][j], fragments_a[i], fragments_b[j / 2][j % 2 * 2], fragments_b[j / 2][j % 2 * 2 + 1]);
  }
}

template <class Step, class Shape, class Rows>
__global__ void __launch_bounds__(Shape::kThreads) gemm_kernel(Rows rows, GemmShape shape, Epilogue epilogue) {
  YANRT_DYNAMIC_SHARED(shared);
  using Cursor = typename CursorOf<Rows>::type;
  constexpr int kRowsA = Shape::kRows * 4 / Shape::kThreads, kRowsB = Shape::kColumns * 4 / Shape::kThreads;
  const int thread = static_cast<int>(threadIdx.x), lane = thread % 32, warp = thread / 32;
  const int warp_row = warp % Shape::kWarpsDown * Shape::kWarpRows;
  const int warp_column = warp / Shape::kWarpsDown * Shape::kWarpColumns;
  const uint32_t first_row = blockIdx.x * Shape::kRows, first_column = blockIdx.y * Shape::kColumns;
  const uint32_t group = blockIdx.z;
  const uint32_t tiles = (shape.k_bytes + Shape::kTileBytes - 1) / Shape::kTileBytes;
  // Each thread copies the same chunk of the same rows of every k tile.
  const int chunk = thread % 4, copied_row = thread / 4;
  const Cursor cursors[kRowsA] = {
      Cursor(rows, first_row + static_cast<uint32_t>(copied_row), shape.m, group),
      Cursor(rows, first_row + static_cast<uint32_t>(copied_row + Shape::kThreads / 4), shape.m, group)};
  static_assert(kRowsA == 2 && kRowsB == 2);

  const auto load = [&](uint32_t tile) {
    if (tile < tiles) {
      unsigned char* a = shared + tile % Shape::kStages * Shape::kStageBytes;
      unsigned char* b = a + Shape::kRows * Shape::kTileBytes;
      const uint32_t k = tile * Shape::kTileBytes + static_cast<uint32_t>(chunk) * 16;
#pragma unroll
      for (int i = 0; i < kRowsA; ++i) {
        const std::byte* from = k < shape.k_bytes ? cursors[i].at(rows, k) : nullptr;
        cp_async_16(a + swizzled(copied_row + i * Shape::kThreads / 4, chunk), from ? from : shape.b, from ? 16 : 0);
      }
#pragma unroll
      for (int i = 0; i < kRowsB; ++i) {
        const int row = copied_row + i * Shape::kThreads / 4;
        const uint32_t column = first_column + static_cast<uint32_t>(row);
        const bool exists = k < shape.k_bytes && column < shape.n;
        const std::byte* from =
            exists ? shape.b + (static_cast<size_t>(group) * shape.n + column) * shape.k_bytes + k : shape.b;
        cp_async_16(b + swizzled(row, chunk), from, exists ? 16 : 0);
      }
    }
    cp_async_commit();  // an empty group keeps the count in step
  };

  WarpSums<Shape> sums, partial;
  sums.clear();
  if constexpr (Step::kPromoteTiles > 0) partial.clear();
  for (uint32_t tile = 0; tile + 1 < Shape::kStages; ++tile) load(tile);
  for (uint32_t tile = 0; tile < tiles; ++tile) {
    cp_async_wait<Shape::kStages - 2>();
    __syncthreads();  // this tile is visible to all, and all are done with the one whose place load() takes
    load(tile + Shape::kStages - 1);
    const unsigned char* a = shared + tile % Shape::kStages * Shape::kStageBytes;
    const unsigned char* b = a + Shape::kRows * Shape::kTileBytes;
    if constexpr (Step::kPromoteTiles > 0) {
      multiply_tile<Step>(partial, a, b, warp_row, warp_column, lane);
      if (tile % Step::kPromoteTiles == Step::kPromoteTiles - 1 || tile + 1 == tiles) sums.take(partial);
    } else {
      multiply_tile<Step>(sums, a, b, warp_row, warp_column, lane);
    }
  }
  cp_async_wait<0>();

  const uint32_t row_origin = shape.stacked ? group * shape.m : 0, column_origin = shape.stacked ? 0 : group * shape.n;
#pragma unroll
  for (int i = 0; i < WarpSums<Shape>::kDown; ++i)
#pragma unroll
    for (int j = 0; j < WarpSums<Shape>::kAcross; ++j)
#pragma unroll
      for (int r = 0; r < 2; ++r) {
        const uint32_t row = first_row + static_cast<uint32_t>(warp_row + i * 16 + lane / 4 + r * 8);
        const uint32_t column = first_column + static_cast<uint32_t>(warp_column + j * 8 + lane % 4 * 2);
        if (row < shape.m && column < shape.n)
          finish_pair<Step::kMayQuantise>(epilogue, sums.v[i][j][2 * r], sums.v[i][j][2 * r + 1], row_origin + row,
                                          column_origin + column, column_origin + shape.n);
      }
}

template <class Step, class Shape, class Rows>
cudaError_t launch_gemm(const Rows& rows, const GemmShape& shape, const Epilogue& epilogue, cudaStream_t stream) {
  const dim3 grid((shape.m + Shape::kRows - 1) / Shape::kRows, (shape.n + Shape::kColumns - 1) / Shape::kColumns,
                  shape.groups);
  return launch(gemm_kernel<Step, Shape, Rows>,
                {.grid = grid, .block = dim3(Shape::kThreads), .shared_bytes = Shape::kSharedBytes, .stream = stream},
                rows, shape, epilogue);
}

template <class Step, class Rows>
cudaError_t launch_gemm(Tile tile, const Rows& rows, const GemmShape& shape, const Epilogue& epilogue,
                        cudaStream_t stream) {
  return tile == Tile::t128 ? launch_gemm<Step, Tile128>(rows, shape, epilogue, stream)
                            : launch_gemm<Step, Tile64>(rows, shape, epilogue, stream);
}

}  // namespace yanrt::cuda
