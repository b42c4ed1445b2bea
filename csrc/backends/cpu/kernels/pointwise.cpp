// pointwise (docs/pointwise.md): the chain runs over blocks of kPwBlock elements, instruction by instruction, each a
// vectorised loop whose operands lie in the first-level cache. Parsed, typed and given its registers at load.
#include <algorithm>

#include "backends/cpu/isa/loops.h"
#include "backends/cpu/kernels/pointwise_code.h"
#include "backends/cpu/kernels/pointwise_input.h"
#include "backends/cpu/kernels/strided.h"

namespace yanrt::cpu {
namespace {

constexpr int64_t kGrain = 4 * kPwBlock;

PwCode compile(const KernelSpec& spec, const PointwiseLoops& loops) {
  std::vector<DType> dtypes;
  for (const TensorDesc& desc : spec.inputs) dtypes.push_back(desc.dtype);
  return compile_pointwise(parse_pointwise(spec.op.attrs.strings("expr"), dtypes, spec.outputs[0].dtype), loops);
}

// How a register becomes an element of the output; null: as it is.
PointwiseStore store_for(DType dtype, PwKind kind, const PointwiseLoops& loops) {
  switch (dtype) {
    case DType::f32:
    case DType::i64: return nullptr;
    case DType::bf16: return loops.real_to_bf16;
    case DType::i32: return loops.int_to_i32;
    case DType::u8: return kind == PwKind::real ? loops.real_to_u8 : loops.int_to_u8;
    default: return loops.int_to_bool;
  }
}

class Pointwise final : public Kernel {
 public:
  explicit Pointwise(const KernelSpec& spec)
      : code_(compile(spec, loops_for(spec.isa).pointwise)),
        store_(store_for(spec.outputs[0].dtype, code_.result, loops_for(spec.isa).pointwise)),
        numel_(spec.outputs[0].numel()),
        out_size_(static_cast<int64_t>(size_of(spec.outputs[0].dtype))),
        literals_(std::max<size_t>(1, code_.literals.size()) * kPwRegisterBytes) {
    for (int operand : code_.operands)
      inputs_.emplace_back(spec.inputs[static_cast<size_t>(operand)], spec.outputs[0].shape,
                           loops_for(spec.isa).pointwise);
    for (size_t i = 0; i < code_.literals.size(); ++i) fill_literal(code_.literals[i], literal_block(i));
  }

  void run(const KernelCall& call) const noexcept override;
  // A block for each operand and each register.
  size_t scratch_bytes() const override {
    return (inputs_.size() + static_cast<size_t>(code_.registers)) * kPwRegisterBytes;
  }
  std::string_view variant() const override { return "pointwise"; }
  int useful_workers() const override { return workers_for(numel_, kGrain); }

 private:
  static constexpr size_t kMaxSlots = kMaxPointwiseInputs + 4 * kMaxPointwiseInstructions;

  std::byte* literal_block(size_t i) const { return literals_.data() + i * kPwRegisterBytes; }
  static void fill_literal(const PwArg& literal, std::byte* block) {
    if (literal.kind == PwKind::real)
      std::fill_n(reinterpret_cast<float*>(block), kPwBlock, literal.real);
    else
      std::fill_n(reinterpret_cast<int64_t*>(block), kPwBlock, literal.integer);
  }

  PwCode code_;
  PointwiseStore store_;
  int64_t numel_, out_size_;
  std::vector<PwInput> inputs_;  // by slot
  Buffer literals_;              // a block each
};

void Pointwise::run(const KernelCall& call) const noexcept {
  const auto [begin, end] = share(numel_, kGrain, call.worker, call.workers);
  if (begin == end) return;
  std::byte* blocks[kMaxSlots];  // by slot
  size_t slots = 0;
  std::byte* scratch = call.scratch;
  for (size_t i = 0; i < inputs_.size(); ++i, scratch += kPwRegisterBytes)
    blocks[slots++] = inputs_[i].fetch(call.inputs[code_.operands[i]], begin, std::min(kPwBlock, end - begin), scratch);
  for (size_t i = 0; i < code_.literals.size(); ++i) blocks[slots++] = literal_block(i);
  for (int i = 0; i < code_.registers; ++i, scratch += kPwRegisterBytes) blocks[slots++] = scratch;

  const PwStep& last = code_.steps.back();
  for (int64_t at = begin; at < end; at += kPwBlock) {
    const int64_t n = std::min(kPwBlock, end - at);
    for (size_t i = 0; i < inputs_.size() && at != begin; ++i)
      if (!inputs_[i].is_constant())
        blocks[i] = inputs_[i].fetch(call.inputs[code_.operands[i]], at, n, call.scratch + i * kPwRegisterBytes);
    std::byte* out = call.outputs[0] + at * out_size_;
    for (const PwStep& step : code_.steps) {
      std::byte* y = &step == &last && !store_ ? out : blocks[step.y];
      step.loop(y, blocks[step.args[0]], blocks[step.args[1]], blocks[step.args[2]], n);
    }
    if (store_) store_(out, blocks[last.y], n);
  }
}

}  // namespace

std::unique_ptr<Kernel> make_pointwise(const KernelSpec& spec) { return std::make_unique<Pointwise>(spec); }

}  // namespace yanrt::cpu
