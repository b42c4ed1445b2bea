// What every backend tells a kernel's factory of an op's operands.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "program/program.h"
#include "runtime/plan.h"

namespace yanrt {

// A constant operand as the package stores it.
struct Constant {
  const StoredTensor* tensor = nullptr;  // null: not a constant
  const StoredTensor* scale = nullptr;   // per-output-channel scales, for f8e4m3
};

class OpOperands {
 public:
  OpOperands(const PlannedOp& op, const Package& package);

  std::span<const bool> present() const { return {present_.get(), inputs.size()}; }

  std::vector<TensorDesc> inputs, outputs;  // of what the op itself computes, whatever its kernel then does to store it
  std::vector<Constant> constants;          // one an input

 private:
  std::unique_ptr<bool[]> present_;  // a vector<bool> has no span
};

}  // namespace yanrt
