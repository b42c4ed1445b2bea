// The attribute `expr` of `pointwise` (docs/pointwise.md), parsed and type-checked: the verifier checks it with this,
// the backends compile their kernels from it.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/dtype.h"
#include "program/pointwise_op.h"

namespace yanrt {

constexpr PwKind kind_of(DType dtype) { return is_floating(dtype) ? PwKind::real : PwKind::integer; }

struct PwArg {
  enum class Source : uint8_t { input, result, literal };
  Source source = Source::literal;
  PwKind kind = PwKind::real;
  int index = 0;        // of the input or of the instruction
  float real = 0;       // a literal of kind real
  int64_t integer = 0;  // a literal of kind integer
};

struct PwInstruction {
  PwOp op = PwOp::add;
  PwKind kind = PwKind::real;      // of the result
  int arity = 0;                   // 1 to 3
  std::array<PwArg, 3> args = {};  // `args[0 .. arity)`; results named by an argument stand before this instruction
};

inline constexpr int kMaxPointwiseInputs = 16;
inline constexpr int kMaxPointwiseInstructions = 128;

// Parses `expr` over inputs of the given dtypes. The last instruction is the result; `output` is where it is stored:
// f32 or bf16 take a float, i64, i32 and bool an int, u8 either. Throws Error(ErrorKind::package) naming the
// instruction.
std::vector<PwInstruction> parse_pointwise(std::span<const std::string> expr, std::span<const DType> inputs,
                                           DType output);

// As `expr` spells it: "gelu_tanh", "and".
std::string_view name_of(PwOp op);

}  // namespace yanrt
