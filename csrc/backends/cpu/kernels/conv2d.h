// What the two convolution kernels share: the geometry of a convolution and the arguments of its epilogue.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "backends/cpu/isa/loops.h"
#include "backends/cpu/kernel.h"

namespace yanrt::cpu {

enum ConvInput { kConvX, kConvWeight, kConvBias, kConvResidual };

// x [batch, height, width, in] -> y [batch, out_height, out_width, out]; pairs are (vertical, horizontal).
struct ConvShape {
  int64_t batch, height, width, in;
  int64_t out_height, out_width, out;
  int64_t groups;
  std::array<int64_t, 2> kernel, stride, dilation;
  std::array<int64_t, 2> padding;  // (top, left); what lies beyond the other edges follows from the size of y

  int64_t pixels() const { return batch * out_height * out_width; }
  int64_t field() const { return kernel[0] * kernel[1]; }
  int64_t group_in() const { return in / groups; }
  int64_t group_out() const { return out / groups; }
  bool is_depthwise() const { return groups > 1 && in == groups && out == groups; }
  // Row r of the GEMM is row r of x.
  bool is_pointwise() const {
    return field() == 1 && groups == 1 && stride == std::array<int64_t, 2>{1, 1} &&
           padding == std::array<int64_t, 2>{0, 0} && out_height == height && out_width == width;
  }
  // The taps of the kernel, along an axis, that lie inside x when tap 0 lies at `start`. begin == end: none.
  struct Taps {
    int64_t begin, end;
  };
  Taps taps_inside(int axis, int64_t start) const;
};

// A pixel of y, and where its receptive field starts in x. Walked in row-major order without divisions.
class ConvPixel {
 public:
  ConvPixel(const ConvShape& shape, int64_t index);
  void advance();

  int64_t image() const { return image_; }
  int64_t top() const { return y_ * shape_.stride[0] - shape_.padding[0]; }
  int64_t left() const { return x_ * shape_.stride[1] - shape_.padding[1]; }

 private:
  const ConvShape& shape_;
  int64_t image_, y_, x_;
};

ConvShape conv_shape(const KernelSpec& spec);
// All that does not change between calls.
FinishArgs conv_finish_args(const KernelSpec& spec, const ConvShape& shape);
// For the output channels from `channel` on; present operands of the call take their place.
FinishArgs conv_finish(const FinishArgs& args, const KernelCall& call, int64_t channel);

std::unique_ptr<Kernel> make_depthwise(const KernelSpec& spec, const ConvShape& shape);

}  // namespace yanrt::cpu
