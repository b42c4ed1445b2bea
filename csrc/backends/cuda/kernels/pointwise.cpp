#include "backends/cuda/kernels/pointwise.h"

#include <algorithm>
#include <bit>

#include "backends/cuda/kernels/strided.h"
#include "core/error.h"
#include "program/pointwise_expr.h"

namespace yanrt::cuda {
namespace {

PwInput describe_input(const TensorDesc& desc, const Dims& out) {
  PwInput input{.dtype = desc.dtype, .rank = 0, .shape = {}, .strides = {}};
  const int missing = out.rank() - desc.shape.rank();
  for (int i = 0; i < out.rank(); ++i) {
    if (out[i] == 1) continue;
    const bool broadcast = i < missing || desc.shape[i - missing] == 1;
    const int64_t stride = broadcast ? 0 : desc.strides[i - missing];
    const auto extent = static_cast<uint32_t>(out[i]);
    int& rank = input.rank;
    if (rank == 0 || input.strides[rank - 1] != stride * extent) input.shape[rank++] = 1;
    input.shape[rank - 1] *= extent;
    input.strides[rank - 1] = stride;
  }
  return input;
}

// Gives every result a register, the first free one; those of the inputs stay theirs until their last use.
class Compiler {
 public:
  Compiler(std::span<const PwInstruction> instructions, int inputs, PwProgram& program)
      : instructions_(instructions), inputs_(inputs), program_(program), last_use_(instructions.size(), -1) {}

  // Returns the number of registers.
  int compile() {
    for (size_t i = 0; i < instructions_.size(); ++i)
      for (const PwArg& arg : args(i))
        if (arg.source == PwArg::Source::result) last_use_[static_cast<size_t>(arg.index)] = static_cast<int>(i);
    registers_ = inputs_;
    for (size_t i = 0; i < instructions_.size(); ++i) program_.step[i] = make_step(i);
    program_.steps = static_cast<int>(instructions_.size());
    program_.result = instructions_.back().kind;
    return registers_;
  }

 private:
  std::span<const PwArg> args(size_t i) const {
    return {instructions_[i].args.data(), static_cast<size_t>(instructions_[i].arity)};
  }

  PwStep make_step(size_t i) {
    const PwInstruction& instruction = instructions_[i];
    PwStep step{.op = instruction.op,
                .kind = args(i).back().kind,
                .y = 0,
                .args = {zero_literal(), zero_literal(), zero_literal()}};
    for (size_t a = 0; a < args(i).size(); ++a) step.args[a] = argument(args(i)[a]);
    // Each thread reads its arguments before it writes its result, so that a register may serve as both.
    for (const PwArg& arg : args(i))
      if (arg.source == PwArg::Source::result && last_use_[static_cast<size_t>(arg.index)] == static_cast<int>(i))
        release(results_[static_cast<size_t>(arg.index)]);
    step.y = take();
    results_.push_back(step.y);
    if (last_use_[i] < 0) release(step.y);
    return step;
  }

  uint16_t argument(const PwArg& arg) {
    if (arg.source == PwArg::Source::input) return static_cast<uint16_t>(arg.index);
    if (arg.source == PwArg::Source::result) return results_[static_cast<size_t>(arg.index)];
    return literal(arg.kind == PwKind::real ? std::bit_cast<uint32_t>(arg.real) : static_cast<uint64_t>(arg.integer));
  }
  uint16_t zero_literal() { return literal(0); }
  uint16_t literal(uint64_t bits) {
    int i = 0;
    while (i < literals_ && program_.literals[i] != bits) ++i;
    if (i == literals_) program_.literals[literals_++] = bits;
    return static_cast<uint16_t>(i | kPwLiteral);
  }
  uint16_t take() {
    if (free_.empty()) return static_cast<uint16_t>(registers_++);
    const uint16_t r = free_.back();
    free_.pop_back();
    return r;
  }
  void release(uint16_t r) {
    if (std::ranges::find(free_, r) == free_.end()) free_.push_back(r);
  }

  std::span<const PwInstruction> instructions_;
  int inputs_, registers_ = 0, literals_ = 0;
  PwProgram& program_;
  std::vector<int> last_use_;      // of each result; -1 if nobody reads it
  std::vector<uint16_t> results_;  // register of each result
  std::vector<uint16_t> free_;
};

class Pointwise final : public Kernel {
 public:
  explicit Pointwise(const KernelSpec& spec) : inputs_(spec.inputs.size()) {
    const TensorDesc& y = spec.outputs[0];
    std::vector<DType> dtypes;
    for (const TensorDesc& desc : spec.inputs) dtypes.push_back(desc.dtype);
    const auto program = std::make_unique<PwProgram>();
    program->inputs = static_cast<int>(inputs_);
    program->output = y.dtype;
    for (size_t i = 0; i < inputs_; ++i) program->input[i] = describe_input(spec.inputs[i], y.shape);
    const auto instructions = parse_pointwise(spec.op.attrs.strings("expr"), dtypes, y.dtype);
    registers_ = Compiler(instructions, program->inputs, *program).compile();
    if (pointwise_vector(registers_) == 0)
      throw Error(ErrorKind::unsupported,
                  "pointwise (" + spec.op.source + ") keeps " + std::to_string(registers_) +
                      " values at once, more than a GPU's shared memory holds; split the chain");
    args_.numel = checked_count(spec.op, y.numel());
    args_.program = reinterpret_cast<const PwProgram*>(spec.weights.keep(program.get(), sizeof(PwProgram)));
  }

  void launch(const KernelCall& call) const override {
    if (args_.numel == 0) return;
    PointwiseArgs args = args_;
    for (size_t i = 0; i < inputs_; ++i) args.inputs[i] = call.inputs[i];
    args.y = call.outputs[0];
    check(launch_pointwise(registers_, args, call.stream), "launch of pointwise");
  }
  std::string_view variant() const override { return "pointwise"; }

 private:
  size_t inputs_;
  int registers_ = 0;
  PointwiseArgs args_{};
};

}  // namespace

std::unique_ptr<Kernel> make_pointwise(const KernelSpec& spec) { return std::make_unique<Pointwise>(spec); }

}  // namespace yanrt::cuda
