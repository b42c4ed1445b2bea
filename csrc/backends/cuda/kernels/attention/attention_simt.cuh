// Attention without tensor cores, in f32: a warp a query. Keys come 32 at a time, one a lane; then the lanes share the
// elements of the values. For precision fp32, wide heads, and where each query has a few keys of its own.
#pragma once

#include "backends/cuda/kernels/attention/problems.cuh"
#include "backends/cuda/kernels/block.cuh"

namespace yanrt::cuda {

inline constexpr int kSimtWarps = 4;

template <class Problem, int kPerLane>  // elements of a head a lane: d <= 32 * kPerLane
__global__ void __launch_bounds__(kSimtWarps * 32)
    attention_simt_kernel(const __grid_constant__ typename Problem::Args args) {
  YANRT_DYNAMIC_SHARED(shared);
  const uint32_t lane = threadIdx.x % 32, warp = threadIdx.x / 32, query = blockIdx.y * kSimtWarps + warp;
  if (query >= Problem::queries_of(args)) return;  // no barrier below joins warps
  const Problem problem(args, blockIdx.x);
  float* q = reinterpret_cast<float*>(shared) + warp * args.d;
  const Row q_row = problem.q(query);
  for (uint32_t i = lane; i < args.d; i += 32) q[i] = element_of(q_row, i) * args.scale;
  __syncwarp();

  const float kNone = -INFINITY;
  float largest = kNone, total = 0.0f, y[kPerLane] = {};
  const uint32_t seen = problem.seen(query);
  for (uint32_t first = 0; first < seen; first += 32) {
    const uint32_t key = first + lane, count = min(32u, seen - first);
    float logit = kNone;
    if (key < seen) {
      const Row k = problem.k(key);
      logit = 0.0f;
      for (uint32_t i = 0; i < args.d; ++i) logit = fmaf(q[i], element_of(k, i), logit);
      if (problem.has_offset()) logit += problem.offset(query, key);
    }
    const float new_largest = fmaxf(largest, warp_max(logit));
    const float base = new_largest == kNone ? 0.0f : new_largest;  // so that -inf - base is -inf, and its power 0
    const float correction = expf(largest - base), weight = expf(logit - base);
    largest = new_largest;
    total = total * correction + warp_sum(weight);
#pragma unroll
    for (int i = 0; i < kPerLane; ++i) y[i] *= correction;
    for (uint32_t j = 0; j < count; ++j) {
      const float w = __shfl_sync(kFullWarp, weight, static_cast<int>(j));
      const Row v = problem.v(first + j);
#pragma unroll
      for (int i = 0; i < kPerLane; ++i) {
        const uint32_t at = lane + 32 * static_cast<uint32_t>(i);
        if (at < args.d) y[i] = fmaf(w, element_of(v, at), y[i]);
      }
    }
  }
  const float inverse = total > 0.0f ? 1.0f / total : 0.0f;
#pragma unroll
  for (int i = 0; i < kPerLane; ++i) {
    const uint32_t at = lane + 32 * static_cast<uint32_t>(i);
    if (at < args.d) set_element(args.y, args.y_is_bf16, problem.y(query) + at, y[i] * inverse);
  }
}

template <class Problem>
cudaError_t launch_attention_simt_for(const typename Problem::Args& args, cudaStream_t stream) {
  const LaunchShape shape{.grid = dim3(Problem::items(args), (Problem::queries_of(args) + kSimtWarps - 1) / kSimtWarps),
                          .block = dim3(kSimtWarps * 32),
                          .shared_bytes = kSimtWarps * args.d * sizeof(float),
                          .stream = stream};
  if (args.d <= 64) return launch(attention_simt_kernel<Problem, 2>, shape, args);
  if (args.d <= 128) return launch(attention_simt_kernel<Problem, 4>, shape, args);
  return launch(attention_simt_kernel<Problem, 16>, shape, args);
}

}  // namespace yanrt::cuda
