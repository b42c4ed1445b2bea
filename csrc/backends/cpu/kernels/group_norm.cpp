// group_norm of an NHWC tensor. The unit of work is a span of whole groups of one batch entry, wide enough to fill
// registers: sums over the pixels for each channel, then for each group, then one pass that scales.
#include <cmath>

#include "backends/cpu/isa/loops.h"
#include "backends/cpu/kernels/gemm.h"
#include "backends/cpu/kernels/strided.h"

namespace yanrt::cpu {
namespace {

constexpr int64_t kSpanChannels = 32;
constexpr int64_t kBlockRows = 64;  // pixels summed in f32 before they are added to the totals in double

class GroupNorm final : public Kernel {
 public:
  explicit GroupNorm(const KernelSpec& spec)
      : loops_(loops_for(spec.isa).norm),
        batch_(spec.inputs[0].shape[0]),
        pixels_(spec.inputs[0].shape[1] * spec.inputs[0].shape[2]),
        channels_(spec.inputs[0].shape[3]),
        groups_(spec.op.attrs.integer("groups")),
        group_channels_(channels_ / groups_),
        span_groups_(std::clamp<int64_t>(kSpanChannels / group_channels_, 1, groups_)),
        spans_((groups_ + span_groups_ - 1) / span_groups_),
        eps_(spec.op.attrs.real("eps")),
        act_(parse_activation(spec.op.attrs.choice("act"))),
        has_scale_(spec.inputs.size() > 1 && spec.present[1]),
        has_shift_(spec.inputs.size() > 2 && spec.present[2]),
        y_is_bf16_(spec.outputs[0].dtype == DType::bf16) {}

  void run(const KernelCall& call) const noexcept override {
    const auto [begin, end] = share(batch_ * spans_, 1, call.worker, call.workers);
    for (int64_t item = begin; item < end; ++item) normalise(call, item / spans_, item % spans_ * span_groups_);
  }
  size_t scratch_bytes() const override {
    return static_cast<size_t>(span_groups_ * group_channels_) * (2 * sizeof(double) + 5 * sizeof(float));
  }
  std::string_view variant() const override { return y_is_bf16_ ? "group_norm.to_bf16" : "group_norm"; }
  int useful_workers() const override { return workers_for(batch_ * spans_, 1); }

 private:
  // Of the channels of a span.
  struct Work {
    double *sum, *square;  // totals of x - origin and of its square
    float *block_sum, *block_square;
    float *mean, *scale, *shift;
  };

  void normalise(const KernelCall& call, int64_t entry, int64_t first_group) const {
    const int64_t groups = std::min(span_groups_, groups_ - first_group), width = groups * group_channels_;
    Work work = carve(call.scratch);
    const int64_t first_channel = first_group * group_channels_;
    const int64_t offset = entry * pixels_ * channels_ + first_channel;
    const ChannelRows all{
        .x = call.in<const float>(0) + offset, .stride = channels_, .rows = pixels_, .channels = width};
    add_moments(all, work);
    for (int64_t g = 0; g < groups; ++g) finish_group(all.x, g * group_channels_, work);
    for (int64_t c = 0; c < width; ++c) {
      if (has_scale_) work.scale[c] *= call.in<const float>(1)[first_channel + c];
      work.shift[c] = has_shift_ ? call.in<const float>(2)[first_channel + c] : 0.0f;
    }
    const int64_t y_size = static_cast<int64_t>(y_is_bf16_ ? sizeof(uint16_t) : sizeof(float));
    loops_.scale_channels(all, {.mean = work.mean,
                                .scale = work.scale,
                                .shift = work.shift,
                                .act = act_,
                                .y = call.outputs[0] + offset * y_size,
                                .y_is_bf16 = y_is_bf16_});
  }

  Work carve(std::byte* scratch) const {
    const int64_t n = span_groups_ * group_channels_;
    auto* wide = reinterpret_cast<double*>(scratch);
    auto* narrow = reinterpret_cast<float*>(wide + 2 * n);
    return {wide, wide + n, narrow, narrow + n, narrow + 2 * n, narrow + 3 * n, narrow + 4 * n};
  }

  // Sums over all pixels, relative to the first pixel: what the values have in common does not cancel in the variance.
  void add_moments(const ChannelRows& all, Work& work) const {
    std::fill_n(work.sum, all.channels, 0.0);
    std::fill_n(work.square, all.channels, 0.0);
    for (int64_t row = 0; row < all.rows; row += kBlockRows) {
      std::fill_n(work.block_sum, all.channels, 0.0f);
      std::fill_n(work.block_square, all.channels, 0.0f);
      const ChannelRows block{.x = all.x + row * all.stride,
                              .stride = all.stride,
                              .rows = std::min(kBlockRows, all.rows - row),
                              .channels = all.channels};
      loops_.moments(block, all.x, work.block_sum, work.block_square);
      for (int64_t c = 0; c < all.channels; ++c) {
        work.sum[c] += static_cast<double>(work.block_sum[c]);
        work.square[c] += static_cast<double>(work.block_square[c]);
      }
    }
  }

  // Mean and 1 / standard deviation of the group that starts at channel `first` of the span. The channels have
  // different origins: var = mean over channels of (their variance + (their mean - the group's mean)^2).
  void finish_group(const float* origin, int64_t first, Work& work) const {
    const double n = static_cast<double>(pixels_), width = static_cast<double>(group_channels_);
    double mean = 0, variance = 0;
    for (int64_t c = first; c < first + group_channels_; ++c) mean += (origin[c] + work.sum[c] / n) / width;
    for (int64_t c = first; c < first + group_channels_; ++c) {
      const double shift = work.sum[c] / n, away = origin[c] + shift - mean;
      variance += (work.square[c] / n - shift * shift + away * away) / width;
    }
    const double factor = 1.0 / std::sqrt(std::max(variance, 0.0) + eps_);
    std::fill_n(work.mean + first, group_channels_, static_cast<float>(mean));
    std::fill_n(work.scale + first, group_channels_, static_cast<float>(factor));
  }

  const NormLoops& loops_;
  int64_t batch_, pixels_, channels_, groups_, group_channels_, span_groups_, spans_;
  double eps_;
  Activation act_;
  bool has_scale_, has_shift_, y_is_bf16_;
};

}  // namespace

std::unique_ptr<Kernel> make_group_norm(const KernelSpec& spec) { return std::make_unique<GroupNorm>(spec); }

}  // namespace yanrt::cpu
