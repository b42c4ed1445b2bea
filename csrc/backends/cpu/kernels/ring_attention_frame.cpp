// ring_attention where a frame sees whole frames. The workers share the (entry, head) pairs; each packs the visible
// keys of its head, then goes through the positions of the window, and commits the slices of its own.
#include <optional>

#include "backends/cpu/kernels/attention_core.h"
#include "backends/cpu/kernels/ring_codes.h"
#include "backends/cpu/kernels/ring_window.h"
#include "backends/cpu/kernels/strided.h"
#include "runtime/plan.h"

namespace yanrt::cpu {
namespace {

class RingAttentionByFrame final : public Kernel {
 public:
  RingAttentionByFrame(const KernelSpec& spec, const RingShape& shape)
      : shape_(shape),
        max_keys_((shape.history + shape.window) * shape.positions),
        core_(loops_for(spec.isa), {spec.compute, shape.q.dtype, shape.y.dtype}, shape.d, max_keys_, shape.scale,
              shape.has_bias),
        coded_(shape.ring_type == DType::f8e4m3) {
    if (!coded_) {
      commit_k_.emplace(ring_copy(shape.k));
      commit_v_.emplace(ring_copy(shape.v));
    }
    variant_ = "ring_attention.frame." + std::string(name_of(shape.ring_type)) + "." + std::string(name_of(spec.isa));
  }

  void run(const KernelCall& call) const noexcept override {
    const auto [begin, end] = share(shape_.batch * shape_.heads, 1, call.worker, call.workers);
    const TileRegisters registers(core_.tile());
    for (int64_t item = begin; item < end; ++item) {
      const int64_t b = item / shape_.heads, h = item % shape_.heads;
      const RingFrames frames = shape_.frames(call, b);
      pack(call, frames, b, h);
      attend(call, frames, b, h);
      commit(call, frames, b, h);
    }
  }
  size_t scratch_bytes() const override { return core_.scratch_bytes() + (coded_ ? 2 * rows_bytes() : 0); }
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
    if (coded_) {
      pack_codes(call, frames, b, h);
      return;
    }
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

  size_t rows_bytes() const { return align_up(static_cast<size_t>(shape_.positions * shape_.d) * sizeof(uint16_t)); }

  // One head of one frame, as dense rows of bf16: `widen(operand, p, to)` makes row p of keys (0) or values (1).
  template <class Widen>
  void pack_rows(const KernelCall& call, int64_t first, const Widen& widen) const {
    std::byte* rows[2] = {call.scratch + core_.scratch_bytes(), call.scratch + core_.scratch_bytes() + rows_bytes()};
    for (int operand = 0; operand < 2; ++operand)
      for (int64_t p = 0; p < shape_.positions; ++p)
        widen(operand, p, rows[operand] + p * shape_.d * static_cast<int64_t>(sizeof(uint16_t)));
    core_.pack(call.scratch, {DType::bf16, rows[0], shape_.d}, {DType::bf16, rows[1], shape_.d}, first,
               shape_.positions);
  }

  void pack_codes(const KernelCall& call, const RingFrames& frames, int64_t b, int64_t h) const {
    int64_t first = 0;
    for (int64_t i = 0; i < frames.ring; ++i, first += shape_.positions) {
      const int64_t slot = shape_.slot_of(frames.current - frames.ring + i);
      pack_rows(call, first, [&](int operand, int64_t p, std::byte* to) {
        widen_codes(shape_.in_ring(call.inputs[3 + operand], b, slot, p, h), to, shape_.d);
      });
    }
    for (int64_t w = frames.missing; w < shape_.window; ++w, first += shape_.positions)
      pack_rows(call, first, [&](int operand, int64_t p, std::byte* to) {
        const TensorDesc& desc = operand == 0 ? shape_.k : shape_.v;
        round_row(RingShape::in_window(call.inputs[1 + operand], desc, b, w, p, h), desc.dtype, to, shape_.d);
      });
    core_.seal(call.scratch, first);
  }

  // Frames that window slot w sees; they are consecutive and it is the last of them.
  static int64_t seen_by(const RingFrames& frames, int64_t w) {
    return w < frames.missing ? 0 : frames.ring + w - frames.missing + 1;
  }

  // The bias by distance in frames, the same for every position of a key's frame.
  struct Bias {
    const float* by_distance;
    int64_t positions, rows;
    int64_t seen[QueryBlock::kMost];  // frames, by query
  };
  static void fill_bias(const void* context, int64_t first, int64_t count, float* mask, int64_t columns,
                        int32_t* mask_row) {
    const Bias& bias = *static_cast<const Bias*>(context);
    const int64_t first_frame = first / bias.positions, last_frame = (first + count - 1) / bias.positions;
    for (int64_t frame = first_frame; frame <= last_frame; ++frame, mask += columns)
      for (int64_t row = 0; row < bias.rows; ++row)
        mask[row] = bias.by_distance[std::max<int64_t>(bias.seen[row] - 1 - frame, 0)];  // what lies ahead is not seen
    for (int64_t key = 0; key < count; ++key)
      mask_row[key] = static_cast<int32_t>((first + key) / bias.positions - first_frame);
  }

  void attend(const KernelCall& call, const RingFrames& frames, int64_t b, int64_t h) const {
    const int64_t queries = shape_.window * shape_.positions;
    const int64_t keys = (frames.ring + shape_.window - frames.missing) * shape_.positions;
    Bias bias{shape_.has_bias ? call.in<const float>(7) + h * shape_.bias_stride : nullptr, shape_.positions, 0, {}};
    for (int64_t first = 0; first < queries; first += core_.block_rows()) {
      QueryBlock block;
      block.rows = bias.rows = std::min(core_.block_rows(), queries - first);
      for (int64_t row = 0; row < block.rows; ++row) {
        const int64_t w = (first + row) / shape_.positions, p = (first + row) % shape_.positions;
        block.q[row] = RingShape::in_window(call.inputs[0], shape_.q, b, w, p, h);
        block.y[row] = RingShape::in_window(call.outputs[0], shape_.y, b, w, p, h);
        bias.seen[row] = seen_by(frames, w);
        block.seen[row] = static_cast<int32_t>(bias.seen[row] * shape_.positions);
      }
      if (shape_.has_bias) {
        block.fill_mask = fill_bias;
        block.context = &bias;
      }
      core_.attend(call.scratch, block, keys);
    }
  }

  void commit(const KernelCall& call, const RingFrames& frames, int64_t b, int64_t h) const {
    for (int64_t w = frames.missing; w < shape_.commit; ++w) {
      const int64_t slot = shape_.slot_of(frames.frame + w);
      if (coded_) {
        for (int64_t p = 0; p < shape_.positions; ++p) {
          encode_row(RingShape::in_window(call.inputs[1], shape_.k, b, w, p, h), shape_.k.dtype,
                     shape_.in_ring(call.inputs[3], b, slot, p, h), shape_.d);
          encode_row(RingShape::in_window(call.inputs[2], shape_.v, b, w, p, h), shape_.v.dtype,
                     shape_.in_ring(call.inputs[4], b, slot, p, h), shape_.d);
        }
        continue;
      }
      commit_k_->run(RingShape::in_window(call.inputs[1], shape_.k, b, w, 0, h),
                     shape_.in_ring(call.inputs[3], b, slot, 0, h), {0, commit_k_->numel()});
      commit_v_->run(RingShape::in_window(call.inputs[2], shape_.v, b, w, 0, h),
                     shape_.in_ring(call.inputs[4], b, slot, 0, h), {0, commit_v_->numel()});
    }
  }

  RingShape shape_;
  int64_t max_keys_;
  AttentionCore core_;
  bool coded_;                                      // the ring holds E4M3
  std::optional<StridedCopy> commit_k_, commit_v_;  // of rings that do not
  std::string variant_;
};

}  // namespace

std::unique_ptr<Kernel> make_ring_attention_by_frame(const KernelSpec& spec, const RingShape& shape) {
  return std::make_unique<RingAttentionByFrame>(spec, shape);
}

}  // namespace yanrt::cpu
