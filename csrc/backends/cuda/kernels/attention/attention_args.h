// What the attention kernels take. `attention` and `ring_attention` differ in which keys a query sees and where they
// lie, and in nothing else: each is a problem of items (a head of a batch entry) with queries and keys.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

#include "core/dtype.h"
#include "core/shape.h"

namespace yanrt::cuda {

// One operand: element type, whether 16-byte chunks of its rows can be read at once, strides in elements.
struct AttentionOperand {
  const std::byte* data;
  DType type;
  bool aligned;
  int64_t outer[kMaxRank];  // of the leading dimensions
  int64_t row, head;
};

// Attention of q [..., L, H, D] over k and v [..., S, H, D].
struct AttentionArgs {
  AttentionOperand q, k, v;
  std::byte* y;  // dense
  bool y_is_bf16;
  const float* mask;  // or null; 0 strides where it is broadcast
  int64_t mask_outer[kMaxRank], mask_head, mask_row, mask_key;
  uint32_t queries, keys, heads, d, outer_count;
  int outer_rank;
  uint32_t outer_shape[kMaxRank];
  float scale;
  bool causal;
  bool rounded;  // q, k and v are rounded to bf16
};

// docs/ring_attention.md. Strides of q, k, v: `outer` = {B, W}, `row` = P. Rings and y are dense.
struct RingAttentionArgs {
  AttentionOperand q, k, v;
  std::byte* k_ring;
  std::byte* v_ring;
  DType ring_type;
  bool ring_aligned;
  std::byte* y;
  bool y_is_bf16;
  const int64_t* frame;
  const int64_t* first_valid;
  const float* bias;  // [heads, bias_stride] by distance in frames, or null
  uint32_t batch, window, positions, heads, d, slots, commit, history, bias_stride;
  float scale;
  bool rounded;  // q is rounded to bf16, window keys and values to the ring's type
};

// d of each lane or fragment: up to 512 without tensor cores, up to 128 with.
inline constexpr uint32_t kMaxHeadSimt = 512, kMaxHeadMma = 128;

cudaError_t launch_attention_simt(const AttentionArgs& args, cudaStream_t stream);
cudaError_t launch_attention_mma(const AttentionArgs& args, cudaStream_t stream);
cudaError_t launch_ring_position_simt(const RingAttentionArgs& args, cudaStream_t stream);
cudaError_t launch_ring_frame_simt(const RingAttentionArgs& args, cudaStream_t stream);
cudaError_t launch_ring_frame_mma(const RingAttentionArgs& args, cudaStream_t stream);
// The first `commit` frames of the window enter the rings. The slots it writes are not among those attention reads.
cudaError_t launch_ring_commit(const RingAttentionArgs& args, cudaStream_t stream);

}  // namespace yanrt::cuda
