// A chain of pointwise instructions, made ready to run over blocks: loops chosen, registers assigned.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "backends/cpu/kernels/pointwise_args.h"
#include "program/pointwise_expr.h"

namespace yanrt::cpu {

// Elements of a block: its registers stay in the first-level cache.
inline constexpr int64_t kPwBlock = 512;
inline constexpr size_t kPwRegisterBytes = kPwBlock * sizeof(int64_t);

// The instructions name blocks by slot: first the operands the chain reads, then the literals, then the registers.
using PwSlot = uint16_t;

struct PwStep {
  PointwiseLoop loop;
  PwSlot y;
  std::array<PwSlot, 3> args;  // those the instruction does not have are 0
};

struct PwCode {
  std::vector<int> operands;    // of the op, by slot
  std::vector<PwArg> literals;  // by slot, from operands.size() on
  int registers = 0;            // from operands.size() + literals.size() on
  std::vector<PwStep> steps;    // the last one makes the result
  PwKind result = PwKind::real;
  size_t slots() const { return operands.size() + literals.size() + static_cast<size_t>(registers); }
};

PwCode compile_pointwise(std::span<const PwInstruction> instructions, const PointwiseLoops& loops);

}  // namespace yanrt::cpu
