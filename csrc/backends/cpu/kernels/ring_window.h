// ring_attention (docs/ring_attention.md): which frames there are for one batch entry, and where they lie.
#pragma once

#include <algorithm>
#include <cstdint>

#include "backends/cpu/kernel.h"

namespace yanrt::cpu {

// What a call sees of one batch entry, from its frame counter. The keys of a query are consecutive frames: `ring` of
// them in the ring, then those of the window that exist.
struct RingFrames {
  int64_t frame;    // global frame of window slot 0
  int64_t current;  // the first frame that is not in the ring's past: max(frame, first_valid)
  int64_t ring;     // visible frames in the ring: [current - ring, current)
  int64_t missing;  // window slots [0, missing) do not exist

  RingFrames(int64_t frame, int64_t first_valid, int64_t history, int64_t window)
      : frame(frame),
        current(std::max(frame, first_valid)),
        ring(std::max<int64_t>(0, current - std::max<int64_t>(0, current - history))),
        missing(std::min(current - frame, window)) {}
};

// Shapes and strides of the operands: q, k, v [B, W, P, H, D] with unit inner stride, rings dense [B, S, P, H, D].
struct RingShape {
  int64_t batch, window, positions, heads, d, slots, commit, history;
  float scale;
  DType ring_type;
  TensorDesc q, k, v, y;
  bool has_bias;
  int64_t bias_stride = 0;  // from head to head

  explicit RingShape(const KernelSpec& spec);

  RingFrames frames(const KernelCall& call, int64_t b) const {
    return {call.in<const int64_t>(5)[b], call.in<const int64_t>(6)[b], history, window};
  }
  int64_t slot_of(int64_t global_frame) const { return (global_frame % slots + slots) % slots; }
  // Element (b, slot, p, h, 0) of a ring.
  std::byte* in_ring(std::byte* ring, int64_t b, int64_t slot, int64_t p, int64_t h) const {
    return ring + (((b * slots + slot) * positions + p) * heads + h) * d * static_cast<int64_t>(size_of(ring_type));
  }
  // Element (b, w, p, h, 0) of q, k, v or y.
  template <class Byte>
  static Byte* in_window(Byte* base, const TensorDesc& desc, int64_t b, int64_t w, int64_t p, int64_t h) {
    const Dims& s = desc.strides;
    return base + (b * s[0] + w * s[1] + p * s[2] + h * s[3]) * static_cast<int64_t>(size_of(desc.dtype));
  }
};

std::unique_ptr<Kernel> make_ring_attention_by_position(const KernelSpec& spec, const RingShape& shape);
std::unique_ptr<Kernel> make_ring_attention_by_frame(const KernelSpec& spec, const RingShape& shape);

}  // namespace yanrt::cpu
