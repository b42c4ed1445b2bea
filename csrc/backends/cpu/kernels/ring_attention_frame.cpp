// ring_attention where a frame sees whole frames. The workers share the (entry, head) pairs; each packs the visible
// keys of its head, then goes through the window frame by frame, and commits the slices of its own.
#include "backends/cpu/kernels/attention_core.h"
#include "backends/cpu/kernels/ring_window.h"
#include "backends/cpu/kernels/strided.h"

namespace yanrt::cpu {
namespace {

class RingAttentionByFrame final : public Kernel {
 public:
  RingAttentionByFrame(const KernelSpec& spec, const RingShape& shape)
      : shape_(shape),
        max_keys_((shape.history + shape.window) * shape.positions),
        core_(loops_for(spec.isa), {spec.compute, shape.q.dtype, shape.y.dtype}, shape.d, max_keys_, shape.scale),
        commit_k_(ring_copy(shape.k)),
        commit_v_(ring_copy(shape.v)) {
    variant_ = "ring_attention.frame." + std::string(name_of(shape.ring_type)) + "." + std::string(name_of(spec.isa));
  }

  void run(const KernelCall& call) const noexcept override {
    const auto [begin, end] = share(shape_.batch * shape_.heads, 1, call.worker, call.workers);
    for (int64_t item = begin; item < end; ++item) {
      const int64_t b = item / shape_.heads, h = item % shape_.heads;
      const RingFrames frames = shape_.frames(call, b);
      pack(call, frames, b, h);
      for (int64_t w = 0; w < shape_.window; ++w) attend_frame(call, frames, b, w, h);
      commit(call, frames, b, h);
    }
  }
  // The row of biases lies behind what the core needs.
  size_t scratch_bytes() const override {
    return core_.scratch_bytes() + (shape_.has_bias ? static_cast<size_t>(max_keys_) * sizeof(float) : 0);
  }
  std::string_view variant() const override { return variant_; }
  int useful_workers() const override { return workers_for(shape_.batch * shape_.heads, 1); }

 private:
  // One head of one frame, from the window into the ring.
  StridedCopy ring_copy(const TensorDesc& from) const {
    const Dims head = {shape_.positions, shape_.d};
    return StridedCopy({from.dtype, head, {from.strides[2], 1}},
                       {shape_.ring_type, head, {shape_.heads * shape_.d, 1}});
  }

  void pack(const KernelCall& call, const RingFrames& frames, int64_t b, int64_t h) const {
    const int64_t ring_stride = shape_.heads * shape_.d;
    int64_t first = 0;
    for (int64_t i = 0; i < frames.ring; ++i, first += shape_.positions) {
      const int64_t slot = shape_.slot_of(frames.current - frames.ring + i);
      core_.pack(call.scratch, {shape_.ring_type, shape_.in_ring(call.inputs[3], b, slot, 0, h), ring_stride},
                 {shape_.ring_type, shape_.in_ring(call.inputs[4], b, slot, 0, h), ring_stride}, first,
                 shape_.positions);
    }
    for (int64_t w = frames.missing; w < shape_.window; ++w, first += shape_.positions)
      core_.pack(call.scratch,
                 {shape_.k.dtype, RingShape::in_window(call.inputs[1], shape_.k, b, w, 0, h), shape_.k.strides[2]},
                 {shape_.v.dtype, RingShape::in_window(call.inputs[2], shape_.v, b, w, 0, h), shape_.v.strides[2]},
                 first, shape_.positions);
    core_.seal(call.scratch, first);
  }

  void attend_frame(const KernelCall& call, const RingFrames& frames, int64_t b, int64_t w, int64_t h) const {
    // Frames this one sees; they are consecutive and it is the last of them.
    const int64_t seen = w < frames.missing ? 0 : frames.ring + w - frames.missing + 1;
    const float* mask = seen && shape_.has_bias ? spread_bias(call, seen, h) : nullptr;
    const int64_t keys = (frames.ring + shape_.window - frames.missing) * shape_.positions;
    for (int64_t p = 0; p < shape_.positions; p += AttentionCore::kQueryRows)
      core_.attend(call.scratch,
                   {.q = RingShape::in_window(call.inputs[0], shape_.q, b, w, p, h),
                    .q_stride = shape_.q.strides[2],
                    .y = RingShape::in_window(call.outputs[0], shape_.y, b, w, p, h),
                    .y_stride = shape_.y.strides[2],
                    .rows = std::min(AttentionCore::kQueryRows, shape_.positions - p),
                    .seen = seen * shape_.positions,
                    .seen_step = 0,
                    .mask = mask,
                    .mask_row_stride = 0,
                    .mask_key_stride = 1},
                   keys);
  }

  // The bias by distance in frames, repeated for every position of a frame.
  const float* spread_bias(const KernelCall& call, int64_t seen, int64_t h) const {
    const float* bias = call.in<const float>(7) + h * shape_.bias_stride;
    auto* row = reinterpret_cast<float*>(call.scratch + core_.scratch_bytes());
    for (int64_t i = 0; i < seen; ++i) std::fill_n(row + i * shape_.positions, shape_.positions, bias[seen - 1 - i]);
    return row;
  }

  void commit(const KernelCall& call, const RingFrames& frames, int64_t b, int64_t h) const {
    for (int64_t w = frames.missing; w < shape_.commit; ++w) {
      const int64_t slot = shape_.slot_of(frames.frame + w);
      commit_k_.run(RingShape::in_window(call.inputs[1], shape_.k, b, w, 0, h),
                    shape_.in_ring(call.inputs[3], b, slot, 0, h), {0, commit_k_.numel()});
      commit_v_.run(RingShape::in_window(call.inputs[2], shape_.v, b, w, 0, h),
                    shape_.in_ring(call.inputs[4], b, slot, 0, h), {0, commit_v_.numel()});
    }
  }

  RingShape shape_;
  int64_t max_keys_;
  AttentionCore core_;
  StridedCopy commit_k_, commit_v_;
  std::string variant_;
};

}  // namespace

std::unique_ptr<Kernel> make_ring_attention_by_frame(const KernelSpec& spec, const RingShape& shape) {
  return std::make_unique<RingAttentionByFrame>(spec, shape);
}

}  // namespace yanrt::cpu
