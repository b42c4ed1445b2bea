#include <algorithm>

#include "backends/cpu/kernels/conv2d.h"
#include "backends/cpu/kernels/gemm.h"

namespace yanrt::cpu {

ConvShape conv_shape(const KernelSpec& spec) {
  const Dims &x = spec.inputs[kConvX].shape, &w = spec.inputs[kConvWeight].shape, &y = spec.outputs[0].shape;
  const Attrs& attrs = spec.op.attrs;
  const auto pair = [&](std::string_view name) {
    return std::array<int64_t, 2>{attrs.ints(name)[0], attrs.ints(name)[1]};
  };
  return {.batch = x[0],
          .height = x[1],
          .width = x[2],
          .in = x[3],
          .out_height = y[1],
          .out_width = y[2],
          .out = y[3],
          .groups = attrs.integer("groups"),
          .kernel = {w[1], w[2]},
          .stride = pair("stride"),
          .dilation = pair("dilation"),
          .padding = pair("padding")};
}

ConvShape::Taps ConvShape::taps_inside(int axis, int64_t start) const {
  const auto a = static_cast<size_t>(axis);
  const int64_t extent = axis == 0 ? height : width, step = dilation[a];
  if (start >= 0 && start + (kernel[a] - 1) * step < extent) return {0, kernel[a]};  // far from the edges
  const int64_t begin = start < 0 ? std::min((-start + step - 1) / step, kernel[a]) : 0;
  const int64_t end = start < extent ? std::min((extent - start + step - 1) / step, kernel[a]) : 0;
  return {begin, std::max(begin, end)};
}

ConvPixel::ConvPixel(const ConvShape& shape, int64_t index)
    : shape_(shape),
      image_(index / (shape.out_width * shape.out_height)),
      y_(index / shape.out_width % shape.out_height),
      x_(index % shape.out_width) {}

void ConvPixel::advance() {
  if (++x_ < shape_.out_width) return;
  x_ = 0;
  if (++y_ < shape_.out_height) return;
  y_ = 0;
  ++image_;
}

FinishArgs conv_finish_args(const KernelSpec& spec, const ConvShape& shape) {
  FinishArgs args{};
  args.act = parse_activation(spec.op.attrs.choice("act"));
  args.y_stride = args.residual_stride = shape.out;
  args.y_is_bf16 = spec.outputs[0].dtype == DType::bf16;
  return args;
}

FinishArgs conv_finish(const FinishArgs& args, const KernelCall& call, int64_t channel) {
  FinishArgs finish = args;
  // Absent operands come as null.
  if (call.inputs[kConvBias]) finish.bias = call.in<const float>(kConvBias) + channel;
  if (call.inputs[kConvResidual]) finish.residual = call.in<const float>(kConvResidual) + channel;
  finish.y = call.outputs[0] + channel * (args.y_is_bf16 ? 2 : 4);
  return finish;
}

}  // namespace yanrt::cpu
