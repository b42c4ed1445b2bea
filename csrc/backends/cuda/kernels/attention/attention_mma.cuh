// Attention on tensor cores in bf16, the logits never in memory (Dao et al., "FlashAttention", arXiv:2205.14135): a
// block takes 64 queries of one item, a warp 16 of them, and goes through the keys 64 at a time. Keys and values become
// bf16 on their way into shared memory, whatever they are stored as.
#pragma once

#include "backends/cuda/kernels/attention/problems.cuh"
#include "backends/cuda/kernels/block.cuh"

namespace yanrt::cuda {

inline constexpr int kMmaThreads = 128, kMmaRows = 64;
inline constexpr float kLog2e = 1.44269504f;

template <int kHead>
struct MmaShared {
  static constexpr int kTileBytes = kMmaRows * kHead * 2;
  static constexpr size_t kBytes = 3 * kTileBytes;  // queries, keys, values
};

// Rows of kHead bf16; the 16-byte chunk is XORed with the row, so that ldmatrix meets no bank twice.
template <int kHead>
__device__ __forceinline__ int swizzled_head(int row, int chunk) {
  return row * kHead * 2 + ((chunk ^ (row & 7)) << 4);
}

// Brings 64 rows into shared memory; `row(i)` is called for rows below `count`, the others are zero.
template <int kHead, class GetRow>
__device__ __forceinline__ void bring_tile(unsigned char* tile, uint32_t count, uint32_t d, const GetRow& row) {
  constexpr int kChunks = kHead / 8;
  for (int i = static_cast<int>(threadIdx.x); i < kMmaRows * kChunks; i += kMmaThreads) {
    const int r = i / kChunks, chunk = i % kChunks;
    uint4 bits = make_uint4(0, 0, 0, 0);
    if (static_cast<uint32_t>(r) < count)
      bits = chunk_of(row(static_cast<uint32_t>(r)), static_cast<uint32_t>(chunk), d);
    store128(tile + swizzled_head<kHead>(r, chunk), bits);
  }
}

// What a warp keeps of its 16 queries. Thread t holds rows t / 4 and t / 4 + 8; index r picks one of the two.
template <int kHead>
struct MmaState {
  uint32_t q[kHead / 16][4];
  float y[kHead / 8][4] = {};
  float largest[2] = {-INFINITY, -INFINITY}, total[2] = {0.0f, 0.0f};
};

template <int kHead>
__device__ __forceinline__ void multiply_logits(float (&logits)[8][4], const MmaState<kHead>& state,
                                                const unsigned char* keys, int lane) {
#pragma unroll
  for (int d = 0; d < kHead / 16; ++d)
#pragma unroll
    for (int n = 0; n < 4; ++n) {
      uint32_t k[4];
      ldmatrix_x4(k, keys + swizzled_head<kHead>(n * 16 + (lane & 7) + (lane >> 4) * 8, d * 2 + (lane >> 3 & 1)));
      mma_m16n8k16_bf16(logits[2 * n], state.q[d], k[0], k[1]);
      mma_m16n8k16_bf16(logits[2 * n + 1], state.q[d], k[2], k[3]);
    }
}

// Turns the logits of one tile into weights, relative to the largest so far.
template <int kHead, class Problem>
__device__ __forceinline__ void soften(float (&logits)[8][4], MmaState<kHead>& state, const Problem& problem,
                                       uint32_t first_key, uint32_t first_query, uint32_t queries, float scale,
                                       int lane) {
#pragma unroll
  for (int r = 0; r < 2; ++r) {
    const uint32_t query = first_query + static_cast<uint32_t>(lane / 4 + 8 * r);
    const uint32_t seen = query < queries ? problem.seen(query) : 0;
    float largest = state.largest[r];
#pragma unroll
    for (int n = 0; n < 8; ++n)
#pragma unroll
      for (int e = 0; e < 2; ++e) {
        const uint32_t key = first_key + static_cast<uint32_t>(n * 8 + lane % 4 * 2 + e);
        float& logit = logits[n][2 * r + e];
        logit *= scale * kLog2e;
        if (key >= seen) {
          logit = -INFINITY;
        } else if (problem.has_offset()) {
          logit += problem.offset(query, key) * kLog2e;
        }
        largest = fmaxf(largest, logit);
      }
    largest = fmaxf(largest, __shfl_xor_sync(kFullWarp, largest, 1));
    largest = fmaxf(largest, __shfl_xor_sync(kFullWarp, largest, 2));
    const float base = largest == -INFINITY ? 0.0f : largest;
    const float correction = exp2_approx(state.largest[r] - base);
    state.largest[r] = largest;
    float sum = 0.0f;
#pragma unroll
    for (int n = 0; n < 8; ++n)
#pragma unroll
      for (int e = 0; e < 2; ++e) {
        logits[n][2 * r + e] = exp2_approx(logits[n][2 * r + e] - base);
        sum += logits[n][2 * r + e];
      }
    state.total[r] = state.total[r] * correction + sum;  // of this thread's keys; summed over the four at the end
#pragma unroll
    for (int d = 0; d < kHead / 8; ++d) {
      state.y[d][2 * r] *= correction;
      state.y[d][2 * r + 1] *= correction;
    }
  }
}

// The weights of a tile, laid out as sums, are the A operand of the next product as they lie.
template <int kHead>
__device__ __forceinline__ void add_values(MmaState<kHead>& state, const float (&weights)[8][4],
                                           const unsigned char* values, int lane) {
#pragma unroll
  for (int n = 0; n < 4; ++n) {
    const uint32_t a[4] = {pack_bf16(weights[2 * n][0], weights[2 * n][1]),
                           pack_bf16(weights[2 * n][2], weights[2 * n][3]),
                           pack_bf16(weights[2 * n + 1][0], weights[2 * n + 1][1]),
                           pack_bf16(weights[2 * n + 1][2], weights[2 * n + 1][3])};
#pragma unroll
    for (int d = 0; d < kHead / 16; ++d) {
      uint32_t v[4];
      ldmatrix_x4_trans(v, values + swizzled_head<kHead>(n * 16 + (lane & 15), d * 2 + (lane >> 4)));
      mma_m16n8k16_bf16(state.y[2 * d], a, v[0], v[1]);
      mma_m16n8k16_bf16(state.y[2 * d + 1], a, v[2], v[3]);
    }
  }
}

template <class Problem, int kHead>
__global__ void __launch_bounds__(kMmaThreads)
    attention_mma_kernel(const __grid_constant__ typename Problem::Args args) {
  YANRT_DYNAMIC_SHARED(shared);
  unsigned char* const queries_tile = shared;
  unsigned char* const keys_tile = shared + MmaShared<kHead>::kTileBytes;
  unsigned char* const values_tile = keys_tile + MmaShared<kHead>::kTileBytes;
  const int lane = static_cast<int>(threadIdx.x % 32), warp = static_cast<int>(threadIdx.x / 32);
  const uint32_t queries = Problem::queries_of(args), first_query = blockIdx.y * kMmaRows;
  const uint32_t warp_query = first_query + static_cast<uint32_t>(warp) * 16;
  const Problem problem(args, blockIdx.x);

  bring_tile<kHead>(queries_tile, min(static_cast<uint32_t>(kMmaRows), queries - first_query), args.d,
                    [&](uint32_t i) { return problem.q(first_query + i); });
  __syncthreads();
  MmaState<kHead> state;
#pragma unroll
  for (int d = 0; d < kHead / 16; ++d)
    ldmatrix_x4(state.q[d], queries_tile + swizzled_head<kHead>(warp * 16 + (lane & 15), d * 2 + (lane >> 4)));

  // No query of this block sees more keys than its last one.
  const uint32_t end = problem.seen(min(first_query + kMmaRows, queries) - 1);
  for (uint32_t first_key = 0; first_key < end; first_key += kMmaRows) {
    const uint32_t count = min(static_cast<uint32_t>(kMmaRows), end - first_key);
    __syncthreads();  // all are done with the previous tile
    bring_tile<kHead>(keys_tile, count, args.d, [&](uint32_t j) { return problem.k(first_key + j); });
    bring_tile<kHead>(values_tile, count, args.d, [&](uint32_t j) { return problem.v(first_key + j); });
    __syncthreads();
    float logits[8][4] = {};
    multiply_logits<kHead>(logits, state, keys_tile, lane);
    soften<kHead>(logits, state, problem, first_key, warp_query, queries, args.scale, lane);
    add_values<kHead>(state, logits, values_tile, lane);
  }

#pragma unroll
  for (int r = 0; r < 2; ++r) {
    float total = state.total[r];
    total += __shfl_xor_sync(kFullWarp, total, 1);
    total += __shfl_xor_sync(kFullWarp, total, 2);
    const float inverse = total > 0.0f ? 1.0f / total : 0.0f;
    const uint32_t query = warp_query + static_cast<uint32_t>(lane / 4 + 8 * r);
    if (query >= queries) continue;
#pragma unroll
    for (int d = 0; d < kHead / 8; ++d)
#pragma unroll
      for (int e = 0; e < 2; ++e) {
        const uint32_t at = static_cast<uint32_t>(d * 8 + lane % 4 * 2 + e);
        if (at < args.d) set_element(args.y, args.y_is_bf16, problem.y(query) + at, state.y[d][2 * r + e] * inverse);
      }
  }
}

template <class Problem>
cudaError_t launch_attention_mma_for(const typename Problem::Args& args, cudaStream_t stream) {
  LaunchShape shape{.grid = dim3(Problem::items(args), (Problem::queries_of(args) + kMmaRows - 1) / kMmaRows),
                    .block = dim3(kMmaThreads),
                    .shared_bytes = MmaShared<64>::kBytes,
                    .stream = stream};
  if (args.d <= 64) return launch(attention_mma_kernel<Problem, 64>, shape, args);
  shape.shared_bytes = MmaShared<128>::kBytes;
  return launch(attention_mma_kernel<Problem, 128>, shape, args);
}

}  // namespace yanrt::cuda
