// One operand of `pointwise`, broadcast to the output and read block by block.
#pragma once

#include "backends/cpu/kernels/pointwise_args.h"
#include "core/tensor.h"

namespace yanrt::cpu {

class PwInput {
 public:
  // `out` is the shape of the output, to which numpy's rules broadcast `desc`.
  PwInput(const TensorDesc& desc, const Dims& out, const PointwiseLoops& loops);

  // The same element everywhere.
  bool is_constant() const { return constant_; }

  // Elements [begin, begin + n) of the output's row-major order. They are brought into `block`, unless they already lie
  // side by side in memory in the register's type. Returns where they are.
  std::byte* fetch(std::byte* x, int64_t begin, int64_t n, std::byte* block) const;

 private:
  PointwiseLoad load_ = nullptr;
  int64_t size_;           // bytes of an element
  int64_t register_size_;  // and of the register's
  bool in_place_;          // memory and register have one type
  bool constant_ = true;
  Dims shape_, strides_;  // of the output as this operand sees it, dimensions merged where it steps through them evenly
};

}  // namespace yanrt::cpu
