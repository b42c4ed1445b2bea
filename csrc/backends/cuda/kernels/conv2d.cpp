// y = residual + act(conv(x) + bias), NHWC: implicit GEMM, or one thread a channel where a filter has one channel.
#include "backends/cuda/kernels/conv2d_depthwise.h"
#include "backends/cuda/kernels/gemm/operand_rows.h"
#include "backends/cuda/kernels/gemm/tiles.h"
#include "backends/cuda/kernels/gemm/weight_rows.h"
#include "backends/cuda/kernels/strided.h"

namespace yanrt::cuda {
namespace {

enum Input : size_t { kX, kWeight, kBias, kResidual };

struct ConvShape {
  int64_t batch, height, width, channels, out_height, out_width, out_channels, kernel_height, kernel_width, groups;

  explicit ConvShape(const KernelSpec& spec)
      : batch(spec.inputs[kX].shape[0]),
        height(spec.inputs[kX].shape[1]),
        width(spec.inputs[kX].shape[2]),
        channels(spec.inputs[kX].shape[3]),
        out_height(spec.outputs[0].shape[1]),
        out_width(spec.outputs[0].shape[2]),
        out_channels(spec.outputs[0].shape[3]),
        kernel_height(spec.inputs[kWeight].shape[1]),
        kernel_width(spec.inputs[kWeight].shape[2]),
        groups(spec.op.attrs.integer("groups")) {}
  int64_t taps() const { return kernel_height * kernel_width; }
  int64_t group_channels() const { return channels / groups; }
  int64_t pixels() const { return batch * height * width; }
  int64_t out_pixels() const { return batch * out_height * out_width; }
};

ConvRows describe_rows(const KernelSpec& spec, const ConvShape& shape, uint32_t tap_bytes) {
  const auto& stride = spec.op.attrs.ints("stride");
  const auto& padding = spec.op.attrs.ints("padding");
  const auto& dilation = spec.op.attrs.ints("dilation");
  const auto narrow = [](int64_t value) { return static_cast<int32_t>(value); };
  return {.x = nullptr,
          .height = narrow(shape.height),
          .width = narrow(shape.width),
          .out_height = narrow(shape.out_height),
          .out_width = narrow(shape.out_width),
          .kernel_width = narrow(shape.kernel_width),
          .stride_y = narrow(stride[0]),
          .stride_x = narrow(stride[1]),
          .pad_top = narrow(padding[0]),
          .pad_left = narrow(padding[1]),
          .dilation_y = narrow(dilation[0]),
          .dilation_x = narrow(dilation[1]),
          .tap_bytes = tap_bytes,
          .pixel_bytes = tap_bytes * static_cast<uint32_t>(shape.groups)};
}

Epilogue describe_epilogue(const KernelSpec& spec, const ConvShape& shape, const float* scale) {
  Epilogue epilogue{};
  epilogue.column_scale = scale;
  epilogue.columns = static_cast<uint32_t>(shape.out_channels);
  epilogue.gate_rows = epilogue.gate_count = 1;
  epilogue.act = parse_activation(spec.op.attrs.choice("act"));
  epilogue.y_is_bf16 = spec.outputs[0].dtype == DType::bf16;
  return epilogue;
}

Epilogue bound(Epilogue epilogue, const KernelCall& call) {
  epilogue.bias = call.in<const float>(kBias);
  epilogue.residual = call.in<const float>(kResidual);
  epilogue.y = call.outputs[0];
  return epilogue;
}

// Channels of a group are padded to 16 bytes in scratch, if they are not already so. In precision fp8 it computes in
// bf16: the pixels of a receptive field would each bring a scale of their own.
class Conv2d final : public Kernel {
 public:
  explicit Conv2d(const KernelSpec& spec)
      : shape_(spec),
        type_(spec.precision == Precision::fp32 ? DType::f32 : DType::bf16),
        rows_(DType::bf16, spec.inputs[kX].dtype, shape_.pixels() * shape_.groups, shape_.group_channels(),
              shape_.group_channels(), spec.alignments[kX]),
        weight_(pack_weight_rows(spec.constants[kWeight], spec.weights, type_, shape_.out_channels, shape_.taps(),
                                 shape_.group_channels())),
        tile_(choose_tile(shape_.out_pixels(), shape_.out_channels / shape_.groups, shape_.groups, spec.device)),
        epilogue_(describe_epilogue(spec, shape_, weight_.scale)) {
    checked_count(spec.op, spec.inputs[kX].numel());
    checked_count(spec.op, spec.outputs[0].numel());
    const bool simt = type_ == DType::f32;
    const auto tap_bytes = simt ? static_cast<uint32_t>(shape_.group_channels() * 4) : rows_.k_bytes();
    taps_ = describe_rows(spec, shape_, tap_bytes);
    gemm_ = {.m = static_cast<uint32_t>(shape_.out_pixels()),
             .n = static_cast<uint32_t>(shape_.out_channels / shape_.groups),
             .groups = static_cast<uint32_t>(shape_.groups),
             .k_bytes = tap_bytes * static_cast<uint32_t>(shape_.taps()),
             .b = weight_.data,
             .stacked = false};
    variant_ = simt ? "conv2d.fp32.simt" : "conv2d.bf16." + std::string(name_of(tile_));
  }

  void launch(const KernelCall& call) const override {
    if (gemm_.m == 0) return;
    ConvRows rows = taps_;
    rows.x = call.inputs[kX];
    if (type_ == DType::f32) {
      check(launch_conv_f32(rows, gemm_, bound(epilogue_, call), call.stream), "launch of conv_f32");
      return;
    }
    rows.x = rows_.prepare(rows.x, call.scratch, call.stream).rows.data;
    check(launch_conv_bf16(tile_, rows, gemm_, bound(epilogue_, call), call.stream), "launch of conv_bf16");
  }
  size_t scratch_bytes() const override { return type_ == DType::f32 ? 0 : rows_.scratch_bytes(); }
  std::string_view variant() const override { return variant_; }

 private:
  ConvShape shape_;
  DType type_;
  OperandRows rows_;  // one a pixel and group
  WeightRows weight_;
  Tile tile_;
  Epilogue epilogue_;
  ConvRows taps_{};
  GemmShape gemm_{};
  std::string variant_;
};

class DepthwiseConv2d final : public Kernel {
 public:
  explicit DepthwiseConv2d(const KernelSpec& spec)
      : shape_(spec),
        weight_(pack_weight_rows(spec.constants[kWeight], spec.weights,
                                 spec.precision == Precision::fp32 ? DType::f32 : DType::bf16, shape_.out_channels, 1,
                                 shape_.taps())),
        epilogue_(describe_epilogue(spec, shape_, weight_.scale)) {
    args_.rows = describe_rows(spec, shape_, 0);
    args_.numel = checked_count(spec.op, spec.outputs[0].numel());
    args_.channels = static_cast<uint32_t>(shape_.channels);
    args_.per_channel = static_cast<uint32_t>(shape_.out_channels / shape_.channels);
    args_.kernel_height = static_cast<int32_t>(shape_.kernel_height);
    args_.x_is_bf16 = spec.inputs[kX].dtype == DType::bf16;
    args_.rounded = spec.precision != Precision::fp32;
    const int64_t taps = shape_.taps();
    args_.weight_stride = static_cast<uint32_t>(args_.rounded ? (taps + 7) / 8 * 8 : taps);
    args_.weight = weight_.data;
    variant_ = std::string("conv2d.depthwise.") + (args_.rounded ? "bf16" : "fp32");
  }

  void launch(const KernelCall& call) const override {
    if (args_.numel == 0) return;
    DepthwiseArgs args = args_;
    args.rows.x = call.inputs[kX];
    check(launch_conv2d_depthwise(args, bound(epilogue_, call), call.stream), "launch of conv2d_depthwise");
  }
  std::string_view variant() const override { return variant_; }

 private:
  ConvShape shape_;
  WeightRows weight_;
  Epilogue epilogue_;
  DepthwiseArgs args_{};
  std::string variant_;
};

}  // namespace

std::unique_ptr<Kernel> make_conv2d(const KernelSpec& spec) {
  if (ConvShape(spec).group_channels() == 1 && ConvShape(spec).groups > 1)
    return std::make_unique<DepthwiseConv2d>(spec);
  return std::make_unique<Conv2d>(spec);
}

}  // namespace yanrt::cuda
