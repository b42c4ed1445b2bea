// The chain of a pointwise op, run a block at a time, instruction by instruction, each a vectorised loop whose operands
// lie in the first-level cache. Parsed, typed and given its registers at load.
#pragma once

#include <span>
#include <string>

#include "backends/cpu/kernel.h"
#include "backends/cpu/kernels/pointwise_code.h"

namespace yanrt::cpu {

class PwChain {
 public:
  static constexpr size_t kMaxSlots = kMaxPointwiseInputs + 4 * kMaxPointwiseInstructions;

  PwChain(std::span<const std::string> expr, std::span<const DType> inputs, DType output, const PointwiseLoops& loops);

  // Of the op, by slot: those the chain reads.
  const std::vector<int>& operands() const { return code_.operands; }
  size_t scratch_bytes() const { return static_cast<size_t>(code_.registers) * kPwRegisterBytes; }
  // Fills the slots behind those of the operands: literals, and registers in scratch.
  void lay_out(std::byte** slots, std::byte* scratch) const noexcept;
  // A block of at most kPwBlock elements of the output, from the operands' blocks.
  void run(std::byte* const* slots, std::byte* out, int64_t n) const noexcept;

 private:
  PwCode code_;
  PointwiseStore store_;
  Buffer literals_;  // a block each
};

}  // namespace yanrt::cpu
