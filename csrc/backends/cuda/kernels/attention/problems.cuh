// Which keys each query sees, and where they lie. A problem is one item of an op: its queries, of which query i sees
// the keys [0, seen(i)); their rows; and what is added to a logit.
#pragma once

#include "backends/cuda/kernels/attention/attention_args.h"
#include "backends/cuda/kernels/attention/row.cuh"

namespace yanrt::cuda {

__device__ __forceinline__ Row row_at(const AttentionOperand& operand, int64_t offset, DType rounded_to) {
  return {operand.data + offset * bytes_of(operand.type), operand.type, rounded_to, operand.aligned};
}

// The op `attention`: an item is a head of an entry of the leading dimensions.
class AttentionProblem {
 public:
  using Args = AttentionArgs;
  static __host__ __device__ uint32_t items(const Args& a) { return a.outer_count * a.heads; }
  static __host__ __device__ uint32_t queries_of(const Args& a) { return a.queries; }

  __device__ AttentionProblem(const Args& args, uint32_t item) : a_(args), head_(item % args.heads) {
    uint32_t outer = item / args.heads;
    y_ = static_cast<int64_t>(outer) * args.queries * args.heads * args.d;
    for (int i = args.outer_rank - 1; i >= 0; --i) {
      const uint32_t at = outer % args.outer_shape[i];
      outer /= args.outer_shape[i];
      q_ += at * args.q.outer[i];
      k_ += at * args.k.outer[i];
      v_ += at * args.v.outer[i];
      mask_ += at * args.mask_outer[i];
    }
  }
  __device__ uint32_t seen(uint32_t i) const {
    if (!a_.causal) return a_.keys;
    const int64_t last = static_cast<int64_t>(i) + a_.keys - a_.queries + 1;
    return last < 0 ? 0 : (last < a_.keys ? static_cast<uint32_t>(last) : a_.keys);
  }
  __device__ Row q(uint32_t i) const { return row_at(a_.q, q_ + i * a_.q.row + head_ * a_.q.head, type(a_.q.type)); }
  __device__ Row k(uint32_t j) const { return row_at(a_.k, k_ + j * a_.k.row + head_ * a_.k.head, type(a_.k.type)); }
  __device__ Row v(uint32_t j) const { return row_at(a_.v, v_ + j * a_.v.row + head_ * a_.v.head, type(a_.v.type)); }
  __device__ int64_t y(uint32_t i) const { return y_ + (static_cast<int64_t>(i) * a_.heads + head_) * a_.d; }
  __device__ bool has_offset() const { return a_.mask != nullptr; }
  __device__ float offset(uint32_t i, uint32_t j) const {
    return a_.mask[mask_ + head_ * a_.mask_head + i * a_.mask_row + j * a_.mask_key];
  }

 private:
  __device__ DType type(DType stored) const { return a_.rounded ? DType::bf16 : stored; }

  const Args& a_;
  uint32_t head_;
  int64_t q_ = 0, k_ = 0, v_ = 0, mask_ = 0, y_ = 0;
};

// Which frames there are for one batch entry. The keys of a query are consecutive frames: `ring` of them in the ring,
// then those of the window that exist.
struct RingFrames {
  int64_t frame;     // global frame of window slot 0
  int64_t first;     // global frame of the first visible frame of the ring
  uint32_t ring;     // visible frames in the ring
  uint32_t missing;  // window slots [0, missing) do not exist

  __device__ RingFrames(const RingAttentionArgs& a, uint32_t entry) : frame(a.frame[entry]) {
    const int64_t first_valid = a.first_valid[entry], current = frame > first_valid ? frame : first_valid;
    first = current > a.history ? current - a.history : 0;
    ring = current > first ? static_cast<uint32_t>(current - first) : 0;
    missing = current - frame < a.window ? static_cast<uint32_t>(current - frame) : a.window;
  }
  __device__ static uint32_t slot(const RingAttentionArgs& a, int64_t global) {
    const int64_t rest = global % static_cast<int64_t>(a.slots);
    return static_cast<uint32_t>(rest < 0 ? rest + a.slots : rest);
  }
  // Frames that window slot w sees; they are consecutive and it is the last of them.
  __device__ uint32_t seen_by(uint32_t w) const { return w < missing ? 0 : ring + w - missing + 1; }
};

class RingKeys {
 public:
  __device__ RingKeys(const RingAttentionArgs& args, uint32_t entry, uint32_t head)
      : a_(args), entry_(entry), head_(head), frames_(args, entry) {}

  __device__ Row window(const AttentionOperand& x, uint32_t w, uint32_t p, DType rounded_to) const {
    return row_at(x, entry_ * x.outer[0] + w * x.outer[1] + p * x.row + head_ * x.head, rounded_to);
  }
  // Frame f of those visible, position p.
  __device__ Row key(const AttentionOperand& x, const std::byte* ring, uint32_t f, uint32_t p) const {
    if (f >= frames_.ring) return window(x, f - frames_.ring + frames_.missing, p, a_.rounded ? a_.ring_type : x.type);
    const uint32_t slot = RingFrames::slot(a_, frames_.first + f);
    const int64_t row = ((static_cast<int64_t>(entry_) * a_.slots + slot) * a_.positions + p) * a_.heads + head_;
    return {ring + row * a_.d * bytes_of(a_.ring_type), a_.ring_type, a_.ring_type, a_.ring_aligned};
  }
  __device__ Row query(uint32_t w, uint32_t p) const {
    return window(a_.q, w, p, a_.rounded ? DType::bf16 : a_.q.type);
  }
  __device__ int64_t y(uint32_t w, uint32_t p) const {
    return (((static_cast<int64_t>(entry_) * a_.window + w) * a_.positions + p) * a_.heads + head_) * a_.d;
  }
  __device__ float bias(uint32_t distance) const { return a_.bias[head_ * a_.bias_stride + distance]; }
  __device__ const RingFrames& frames() const { return frames_; }

 private:
  const RingAttentionArgs& a_;
  uint32_t entry_, head_;
  RingFrames frames_;
};

// Scope "position": an item is a head of a position; its queries are the window, its keys one a frame.
class RingPositionProblem {
 public:
  using Args = RingAttentionArgs;
  static __host__ __device__ uint32_t items(const Args& a) { return a.batch * a.positions * a.heads; }
  static __host__ __device__ uint32_t queries_of(const Args& a) { return a.window; }

  __device__ RingPositionProblem(const Args& args, uint32_t item)
      : a_(args),
        position_(item / args.heads % args.positions),
        keys_(args, item / args.heads / args.positions, item % args.heads) {}
  __device__ uint32_t seen(uint32_t i) const { return keys_.frames().seen_by(i); }
  __device__ Row q(uint32_t i) const { return keys_.query(i, position_); }
  __device__ Row k(uint32_t j) const { return keys_.key(a_.k, a_.k_ring, j, position_); }
  __device__ Row v(uint32_t j) const { return keys_.key(a_.v, a_.v_ring, j, position_); }
  __device__ int64_t y(uint32_t i) const { return keys_.y(i, position_); }
  __device__ bool has_offset() const { return a_.bias != nullptr; }
  __device__ float offset(uint32_t i, uint32_t j) const { return keys_.bias(seen(i) - 1 - j); }

 private:
  const Args& a_;
  uint32_t position_;
  RingKeys keys_;
};

// Scope "frame": an item is a head of a window slot; its queries are the positions, its keys all positions of the
// frames.
class RingFrameProblem {
 public:
  using Args = RingAttentionArgs;
  static __host__ __device__ uint32_t items(const Args& a) { return a.batch * a.window * a.heads; }
  static __host__ __device__ uint32_t queries_of(const Args& a) { return a.positions; }

  __device__ RingFrameProblem(const Args& args, uint32_t item)
      : a_(args),
        slot_(item / args.heads % args.window),
        keys_(args, item / args.heads / args.window, item % args.heads) {}
  __device__ uint32_t seen(uint32_t) const { return keys_.frames().seen_by(slot_) * a_.positions; }
  __device__ Row q(uint32_t i) const { return keys_.query(slot_, i); }
  __device__ Row k(uint32_t j) const { return keys_.key(a_.k, a_.k_ring, j / a_.positions, j % a_.positions); }
  __device__ Row v(uint32_t j) const { return keys_.key(a_.v, a_.v_ring, j / a_.positions, j % a_.positions); }
  __device__ int64_t y(uint32_t i) const { return keys_.y(slot_, i); }
  __device__ bool has_offset() const { return a_.bias != nullptr; }
  __device__ float offset(uint32_t, uint32_t j) const {
    return keys_.bias(keys_.frames().seen_by(slot_) - 1 - j / a_.positions);
  }

 private:
  const Args& a_;
  uint32_t slot_;
  RingKeys keys_;
};

}  // namespace yanrt::cuda
