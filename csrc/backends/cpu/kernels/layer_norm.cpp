// layer_norm and rms_norm over the last dimension, with the modulation of adaLN: scale and shift [G, D], one row of
// them for every `group_rows` rows of x. In int8 they write the quantised rows that the next GEMM reads.
#include <cstring>

#include "backends/cpu/isa/loops.h"
#include "backends/cpu/kernels/strided.h"

namespace yanrt::cpu {
namespace {

class RowNorm final : public Kernel {
 public:
  RowNorm(const KernelSpec& spec, void (*row)(const LayerNormArgs& args))
      : row_(row),
        quantise_(loops_for(spec.isa).quantise.bf16),
        width_(spec.inputs[0].shape[-1]),
        rows_(width_ ? spec.inputs[0].numel() / width_ : 0),
        scales_(entries(spec, 1)),
        shifts_(entries(spec, 2)),
        group_rows_(spec.op.attrs.integer("group_rows")),
        eps_(static_cast<float>(spec.op.attrs.real("eps"))),
        y_type_(spec.outputs[0].dtype),
        peak_(spec.outputs[0].peak),
        variant_(std::string(spec.op.def->name) + (y_type_ == DType::i8     ? peak_ > 0 ? ".to_int8.static" : ".to_int8"
                                                   : y_type_ == DType::bf16 ? ".to_bf16"
                                                                            : "")),
        grain_(std::max<int64_t>(1, kCopyGrain / std::max<int64_t>(width_, 1))) {
    spec.inputs[0].as_rows(&x_stride_);
  }

  void run(const KernelCall& call) const noexcept override {
    const auto [begin, end] = share(rows_, grain_, call.worker, call.workers);
    const int64_t y_row_bytes =
        y_type_ == DType::i8 ? quantised_row_bytes(width_) : width_ * static_cast<int64_t>(size_of(y_type_));
    for (int64_t row = begin; row < end; ++row) {
      std::byte* y = call.outputs[0] + row * y_row_bytes;
      if (y_type_ != DType::i8) {
        normalise(call, row, y);
        continue;
      }
      normalise(call, row, call.scratch);
      const float scale = quantise_(reinterpret_cast<const uint16_t*>(call.scratch), reinterpret_cast<uint8_t*>(y),
                                    static_cast<size_t>(width_), peak_);
      std::memcpy(y + quantised_scale_at(width_), &scale, sizeof(scale));
    }
  }
  size_t scratch_bytes() const override {
    return y_type_ == DType::i8 ? static_cast<size_t>(width_) * sizeof(uint16_t) : 0;
  }
  std::string_view variant() const override { return variant_; }
  int useful_workers() const override { return workers_for(rows_, grain_); }

 private:
  void normalise(const KernelCall& call, int64_t row, std::byte* y) const {
    const int64_t group = row / group_rows_;
    row_({.x = call.in<const float>(0) + row * x_stride_,
          .scale = scales_ ? call.in<const float>(1) + group % scales_ * width_ : nullptr,
          .shift = shifts_ ? call.in<const float>(2) + group % shifts_ * width_ : nullptr,
          .y = y,
          .y_is_bf16 = y_type_ != DType::f32,
          .n = width_,
          .eps = eps_});
  }

  // Rows of scale or shift; 0 if absent.
  static int64_t entries(const KernelSpec& spec, size_t i) {
    return i < spec.inputs.size() && spec.present[i] ? spec.inputs[i].numel() / spec.inputs[0].shape[-1] : 0;
  }

  void (*row_)(const LayerNormArgs& args);
  float (*quantise_)(const uint16_t* x, uint8_t* codes, size_t n, float peak);
  int64_t width_, rows_, scales_, shifts_, group_rows_;
  float eps_;
  DType y_type_;
  float peak_;  // of its int8 rows; 0: each has its own
  std::string variant_;
  int64_t grain_, x_stride_ = 0;
};

}  // namespace

std::unique_ptr<Kernel> make_layer_norm(const KernelSpec& spec) {
  return std::make_unique<RowNorm>(spec, loops_for(spec.isa).norm.layer_norm);
}
std::unique_ptr<Kernel> make_rms_norm(const KernelSpec& spec) {
  return std::make_unique<RowNorm>(spec, loops_for(spec.isa).row.rms_norm);
}

}  // namespace yanrt::cpu
