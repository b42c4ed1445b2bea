// pointwise (docs/pointwise.md): the chain runs over blocks of kPwBlock elements.
#include <algorithm>

#include "backends/cpu/isa/loops.h"
#include "backends/cpu/kernels/pointwise_chain.h"
#include "backends/cpu/kernels/pointwise_input.h"
#include "backends/cpu/kernels/strided.h"

namespace yanrt::cpu {
namespace {

constexpr int64_t kGrain = 4 * kPwBlock;

PwChain chain_of(const KernelSpec& spec, const PointwiseLoops& loops) {
  std::vector<DType> dtypes;
  for (const TensorDesc& desc : spec.inputs) dtypes.push_back(desc.dtype);
  return {spec.op.attrs.strings("expr"), dtypes, spec.outputs[0].dtype, loops};
}

class Pointwise final : public Kernel {
 public:
  explicit Pointwise(const KernelSpec& spec)
      : chain_(chain_of(spec, loops_for(spec.isa).pointwise)),
        numel_(spec.outputs[0].numel()),
        out_size_(static_cast<int64_t>(size_of(spec.outputs[0].dtype))) {
    for (int operand : chain_.operands())
      inputs_.emplace_back(spec.inputs[static_cast<size_t>(operand)], spec.outputs[0].shape,
                           loops_for(spec.isa).pointwise);
  }

  void run(const KernelCall& call) const noexcept override;
  // A block for each operand and each register.
  size_t scratch_bytes() const override { return inputs_.size() * kPwRegisterBytes + chain_.scratch_bytes(); }
  std::string_view variant() const override { return "pointwise"; }
  int useful_workers() const override { return workers_for(numel_, kGrain); }

 private:
  PwChain chain_;
  int64_t numel_, out_size_;
  std::vector<PwInput> inputs_;  // by slot
};

void Pointwise::run(const KernelCall& call) const noexcept {
  const auto [begin, end] = share(numel_, kGrain, call.worker, call.workers);
  std::byte* slots[PwChain::kMaxSlots];
  chain_.lay_out(slots, call.scratch + inputs_.size() * kPwRegisterBytes);
  for (int64_t at = begin; at < end; at += kPwBlock) {
    const int64_t n = std::min(kPwBlock, end - at);
    for (size_t i = 0; i < inputs_.size(); ++i)
      if (at == begin || !inputs_[i].is_constant())
        slots[i] = inputs_[i].fetch(call.inputs[chain_.operands()[i]], at, n, call.scratch + i * kPwRegisterBytes);
    chain_.run(slots, call.outputs[0] + at * out_size_, n);
  }
}

}  // namespace

std::unique_ptr<Kernel> make_pointwise(const KernelSpec& spec) { return std::make_unique<Pointwise>(spec); }

}  // namespace yanrt::cpu
