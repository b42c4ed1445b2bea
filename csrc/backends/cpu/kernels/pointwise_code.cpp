#include "backends/cpu/kernels/pointwise_code.h"

#include <algorithm>
#include <bit>

namespace yanrt::cpu {
namespace {

bool same_literal(const PwArg& a, const PwArg& b) {
  return a.kind == b.kind && a.integer == b.integer &&
         std::bit_cast<uint32_t>(a.real) == std::bit_cast<uint32_t>(b.real);
}

class Compiler {
 public:
  Compiler(std::span<const PwInstruction> instructions, const PointwiseLoops& loops)
      : instructions_(instructions), loops_(loops), last_use_(instructions.size(), -1), results_(instructions.size()) {}

  PwCode compile() {
    collect();
    for (size_t i = 0; i < instructions_.size(); ++i) add_step(static_cast<int>(i));
    code_.result = instructions_.back().kind;
    return std::move(code_);
  }

 private:
  // Operands, literals, and where each result is read last.
  void collect() {
    for (size_t i = 0; i < instructions_.size(); ++i) {
      last_use_[i] = static_cast<int>(i);
      for (const PwArg& arg : args(i)) {
        if (arg.source == PwArg::Source::input) {
          if (std::ranges::find(code_.operands, arg.index) == code_.operands.end()) code_.operands.push_back(arg.index);
        } else if (arg.source == PwArg::Source::literal) {
          if (literal(arg) == code_.literals.size()) code_.literals.push_back(arg);
        } else {
          last_use_[static_cast<size_t>(arg.index)] = static_cast<int>(i);
        }
      }
    }
  }

  void add_step(int index) {
    const PwInstruction& instruction = instructions_[static_cast<size_t>(index)];
    const auto op = static_cast<size_t>(instruction.op);
    const PwKind kind = instruction.args[static_cast<size_t>(instruction.arity) - 1].kind;
    PwStep step{.loop = kind == PwKind::real ? loops_.real[op] : loops_.integer[op], .y = 0, .args = {}};
    for (size_t a = 0; a < static_cast<size_t>(instruction.arity); ++a) step.args[a] = slot_of(instruction.args[a]);
    // The result's register is taken before those of the arguments are given back: no loop works in place.
    step.y = results_[static_cast<size_t>(index)] = take_register();
    for (size_t i = 0; i <= static_cast<size_t>(index); ++i)
      if (last_use_[i] == index) free_.push_back(results_[i]);
    code_.steps.push_back(step);
  }

  std::span<const PwArg> args(size_t i) const {
    return {instructions_[i].args.data(), static_cast<size_t>(instructions_[i].arity)};
  }
  // Index among the literals, or their number.
  size_t literal(const PwArg& arg) const {
    const auto found =
        std::ranges::find_if(code_.literals, [&](const PwArg& known) { return same_literal(known, arg); });
    return static_cast<size_t>(found - code_.literals.begin());
  }
  PwSlot slot_of(const PwArg& arg) const {
    if (arg.source == PwArg::Source::result) return results_[static_cast<size_t>(arg.index)];
    if (arg.source == PwArg::Source::literal) return static_cast<PwSlot>(code_.operands.size() + literal(arg));
    return static_cast<PwSlot>(std::ranges::find(code_.operands, arg.index) - code_.operands.begin());
  }
  PwSlot take_register() {
    if (free_.empty()) {
      free_.push_back(static_cast<PwSlot>(code_.slots()));
      ++code_.registers;
    }
    const PwSlot slot = free_.back();
    free_.pop_back();
    return slot;
  }

  std::span<const PwInstruction> instructions_;
  const PointwiseLoops& loops_;
  std::vector<int> last_use_;    // of each result; its own instruction if nobody reads it
  std::vector<PwSlot> results_;  // register of each result
  std::vector<PwSlot> free_;
  PwCode code_;
};

}  // namespace

PwCode compile_pointwise(std::span<const PwInstruction> instructions, const PointwiseLoops& loops) {
  return Compiler(instructions, loops).compile();
}

}  // namespace yanrt::cpu
