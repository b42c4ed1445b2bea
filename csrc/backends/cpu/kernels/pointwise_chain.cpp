#include "backends/cpu/kernels/pointwise_chain.h"

#include <algorithm>

namespace yanrt::cpu {
namespace {

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

void fill_literal(const PwArg& literal, std::byte* block) {
  if (literal.kind == PwKind::real)
    std::fill_n(reinterpret_cast<float*>(block), kPwBlock, literal.real);
  else
    std::fill_n(reinterpret_cast<int64_t*>(block), kPwBlock, literal.integer);
}

}  // namespace

PwChain::PwChain(std::span<const std::string> expr, std::span<const DType> inputs, DType output,
                 const PointwiseLoops& loops)
    : code_(compile_pointwise(parse_pointwise(expr, inputs, output), loops)),
      store_(store_for(output, code_.result, loops)),
      literals_(std::max<size_t>(1, code_.literals.size()) * kPwRegisterBytes) {
  for (size_t i = 0; i < code_.literals.size(); ++i)
    fill_literal(code_.literals[i], literals_.data() + i * kPwRegisterBytes);
}

void PwChain::lay_out(std::byte** slots, std::byte* scratch) const noexcept {
  slots += code_.operands.size();
  for (size_t i = 0; i < code_.literals.size(); ++i) *slots++ = literals_.data() + i * kPwRegisterBytes;
  for (int i = 0; i < code_.registers; ++i, scratch += kPwRegisterBytes) *slots++ = scratch;
}

void PwChain::run(std::byte* const* slots, std::byte* out, int64_t n) const noexcept {
  const PwStep& last = code_.steps.back();
  for (const PwStep& step : code_.steps) {
    std::byte* y = &step == &last && !store_ ? out : slots[step.y];
    step.loop(y, slots[step.args[0]], slots[step.args[1]], slots[step.args[2]], n);
  }
  if (store_) store_(out, slots[last.y], n);
}

}  // namespace yanrt::cpu
