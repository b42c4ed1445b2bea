// ring_attention where a position sees itself through time: some frames of keys for each (position, head), read where
// they lie. The workers share the positions, and each commits the slices of its own.
#include <cstring>

#include "backends/cpu/isa/loops.h"
#include "backends/cpu/kernels/ring_codes.h"
#include "backends/cpu/kernels/ring_window.h"
#include "backends/cpu/kernels/strided.h"

namespace yanrt::cpu {
namespace {

class RingAttentionByPosition final : public Kernel {
 public:
  RingAttentionByPosition(const KernelSpec& spec, const RingShape& shape)
      : shape_(shape),
        loops_(loops_for(spec.isa)),
        max_keys_(shape.history + shape.window),
        read_type_(read_type(shape.ring_type)) {
    row_bytes_ = (shape_.d * static_cast<int64_t>(size_of(read_type_)) + 63) / 64 * 64;
    variant_ =
        "ring_attention.position." + std::string(name_of(shape.ring_type)) + "." + std::string(name_of(spec.isa));
  }

  void run(const KernelCall& call) const noexcept override {
    const auto [begin, end] = share(shape_.batch * shape_.positions, kGrain, call.worker, call.workers);
    for (int64_t item = begin; item < end; ++item) {
      const int64_t b = item / shape_.positions;
      const RingFrames frames = shape_.frames(call, b);
      for (int64_t h = 0; h < shape_.heads; ++h) attend(call, frames, {b, item % shape_.positions, h});
    }
  }
  size_t scratch_bytes() const override {
    const int64_t widened = shape_.ring_type == read_type_ ? 0 : 2 * shape_.history;
    return static_cast<size_t>((3 * shape_.window + widened) * row_bytes_ +
                               max_keys_ * 20);  // rows, two pointers and a weight a key
  }
  std::string_view variant() const override { return variant_; }
  int useful_workers() const override { return workers_for(shape_.batch * shape_.positions, kGrain); }

 private:
  static constexpr int64_t kGrain = 4;  // positions
  struct Place {
    int64_t b, p, h;
  };
  // Window slots [missing, window) of one operand, in the type the loops read.
  struct WindowRows {
    const std::byte* x;
    int64_t stride;  // bytes
  };

  void attend(const KernelCall& call, const RingFrames& frames, const Place& at) const {
    zero_missing(call, frames, at);
    const int64_t existing = shape_.window - frames.missing;
    if (existing == 0) return;
    std::byte* scratch = call.scratch;
    const WindowRows q = window_rows(call.inputs[0], shape_.q, frames, at, scratch, true);
    const WindowRows k = window_rows(call.inputs[1], shape_.k, frames, at, scratch + shape_.window * row_bytes_);
    const WindowRows v = window_rows(call.inputs[2], shape_.v, frames, at, scratch + 2 * shape_.window * row_bytes_);
    std::byte* widened = scratch + 3 * shape_.window * row_bytes_;
    const bool coded = shape_.ring_type != read_type_;
    auto** keys = reinterpret_cast<const void**>(widened + (coded ? 2 * shape_.history * row_bytes_ : 0));
    const void** values = keys + max_keys_;
    for (int64_t i = 0; i < frames.ring; ++i) {
      const int64_t slot = shape_.slot_of(frames.current - frames.ring + i);
      keys[i] = ring_row(shape_.in_ring(call.inputs[3], at.b, slot, at.p, at.h), widened + 2 * i * row_bytes_);
      values[i] = ring_row(shape_.in_ring(call.inputs[4], at.b, slot, at.p, at.h), widened + (2 * i + 1) * row_bytes_);
    }
    for (int64_t i = 0; i < existing; ++i) {
      keys[frames.ring + i] = k.x + i * k.stride;
      values[frames.ring + i] = v.x + i * v.stride;
    }
    const auto size = static_cast<int64_t>(size_of(read_type_));
    loops_.attention.attend_position(
        {.q = q.x,
         .q_stride = q.stride / size,
         .k = keys,
         .v = values,
         .is_bf16 = read_type_ == DType::bf16,
         .queries = existing,
         .seen = frames.ring + 1,
         .d = shape_.d,
         .scale = shape_.scale,
         .bias = shape_.has_bias ? call.in<const float>(7) + at.h * shape_.bias_stride : nullptr,
         .weights = reinterpret_cast<float*>(values + max_keys_),
         .y = RingShape::in_window(call.outputs[0], shape_.y, at.b, frames.missing, at.p, at.h),
         .y_is_bf16 = shape_.y.dtype == DType::bf16,
         .y_stride = shape_.y.strides[1]});
    for (int64_t w = frames.missing; w < shape_.commit; ++w) {
      const int64_t slot = shape_.slot_of(frames.frame + w), row = w - frames.missing;
      put_row(k.x + row * k.stride, shape_.in_ring(call.inputs[3], at.b, slot, at.p, at.h));
      put_row(v.x + row * v.stride, shape_.in_ring(call.inputs[4], at.b, slot, at.p, at.h));
    }
  }

  // A row of the ring where it lies, if the loops can read it; else widened.
  const std::byte* ring_row(const std::byte* row, std::byte* widened) const {
    if (shape_.ring_type == read_type_) return row;
    widen_codes(row, widened, shape_.d);
    return widened;
  }
  void put_row(const std::byte* row, std::byte* ring) const {
    if (shape_.ring_type == read_type_)
      std::memcpy(ring, row, static_cast<size_t>(shape_.d) * size_of(read_type_));
    else
      encode_row(row, read_type_, ring, shape_.d);
  }

  void zero_missing(const KernelCall& call, const RingFrames& frames, const Place& at) const {
    for (int64_t w = 0; w < frames.missing; ++w)
      std::memset(RingShape::in_window(call.outputs[0], shape_.y, at.b, w, at.p, at.h), 0,
                  static_cast<size_t>(shape_.d) * size_of(shape_.y.dtype));
  }

  // Where they lie, if they are of the ring's type; else rounded into `scratch`: a frame weighs the same in the window
  // as it will in the ring. Queries are never rounded to codes.
  WindowRows window_rows(const std::byte* base, const TensorDesc& desc, const RingFrames& frames, const Place& at,
                         std::byte* scratch, bool is_query = false) const {
    const auto row = [&](int64_t w) { return RingShape::in_window(base, desc, at.b, w, at.p, at.h); };
    const bool coded = shape_.ring_type != read_type_ && !is_query;
    if (desc.dtype == read_type_ && !coded)
      return {row(frames.missing), desc.strides[1] * static_cast<int64_t>(size_of(desc.dtype))};
    const auto n = static_cast<size_t>(shape_.d);
    for (int64_t w = frames.missing; w < shape_.window; ++w) {
      std::byte* to = scratch + (w - frames.missing) * row_bytes_;
      if (coded)
        round_row(row(w), desc.dtype, to, shape_.d);
      else if (desc.dtype == DType::f32)
        loops_.convert.f32_to_bf16(reinterpret_cast<const float*>(row(w)), reinterpret_cast<uint16_t*>(to), n);
      else
        loops_.convert.bf16_to_f32(reinterpret_cast<const uint16_t*>(row(w)), reinterpret_cast<float*>(to), n);
    }
    return {scratch, row_bytes_};
  }

  RingShape shape_;
  const Loops& loops_;
  int64_t max_keys_;
  DType read_type_;  // of the rows that the loops see
  int64_t row_bytes_;
  std::string variant_;
};

}  // namespace

std::unique_ptr<Kernel> make_ring_attention_by_position(const KernelSpec& spec, const RingShape& shape) {
  return std::make_unique<RingAttentionByPosition>(spec, shape);
}

}  // namespace yanrt::cpu
