// y = residual + gate * act(x weight^T + bias), over the rows of x.
#include "backends/cpu/kernels/gemm.h"
#include "core/error.h"

namespace yanrt::cpu {
namespace {

enum Input { kX, kWeight, kBias, kGate, kResidual };

class Linear final : public Kernel {
 public:
  explicit Linear(const KernelSpec& spec)
      : Linear(spec, loops_for(spec.isa),
               ToOperand(loops_for(spec.isa).convert, tile_for(loops_for(spec.isa), spec.compute),
                         spec.inputs[kX].dtype)) {}

  void run(const KernelCall& call) const noexcept override {
    FinishArgs finish = finish_;
    finish.bias = has_bias_ ? call.in<const float>(kBias) : nullptr;
    finish.gate = has_gate_ ? call.in<const float>(kGate) : nullptr;
    finish.residual = has_residual_ ? call.in<const float>(kResidual) : nullptr;
    finish.y = call.outputs[0];
    const std::byte* x = call.inputs[kX];
    gemm_.run(call, 0, finish,
              [this, x](int64_t first, int64_t count, std::byte* scratch) { return rows(x, first, count, scratch); });
  }
  size_t scratch_bytes() const override { return gemm_.scratch_bytes(); }
  std::string_view variant() const override { return variant_; }
  int useful_workers() const override { return gemm_.useful_workers(); }

 private:
  Linear(const KernelSpec& spec, const Loops& loops, const ToOperand& to_operand)
      : k_(spec.inputs[kX].shape[-1]),
        n_(spec.inputs[kWeight].shape[0]),
        to_operand_(to_operand),
        in_place_(to_operand.is_copy() && k_ % tile_for(loops, spec.compute).group == 0),
        has_bias_(spec.present[kBias]),
        has_gate_(spec.present[kGate]),
        has_residual_(spec.present[kResidual]),
        variant_("linear." + std::string(name_of(spec.compute)) + "." + std::string(name_of(spec.isa))),
        gemm_(spec, loops, spec.constants[kWeight], {spec.inputs[kX].numel() / k_, n_, k_}, in_place_) {
    if (!spec.inputs[kX].as_rows(&x_stride_))
      throw Error(ErrorKind::unsupported, "linear (" + spec.op.source + "): the rows of x " +
                                              spec.inputs[kX].shape.str() + " have no common stride; copy it first");
    finish_.scale = weight_scales(spec.constants[kWeight], spec.weights);
    finish_.act = parse_activation(spec.op.attrs.choice("act"));
    finish_.gate_rows = spec.op.attrs.integer("gate_rows");
    finish_.gate_count = has_gate_ ? spec.inputs[kGate].numel() / n_ : 1;
    finish_.gate_stride = n_;
    finish_.y_stride = n_;
    finish_.y_is_bf16 = spec.outputs[0].dtype == DType::bf16;
  }

  Rows rows(const std::byte* x, int64_t first, int64_t count, std::byte* scratch) const noexcept {
    const auto from_bytes = static_cast<int64_t>(to_operand_.from_size());
    const std::byte* from = x + first * x_stride_ * from_bytes;
    if (in_place_) return {from, x_stride_};
    const auto to_bytes = static_cast<int64_t>(to_operand_.to_size());
    for (int64_t row = 0; row < count; ++row) {
      std::byte* to = scratch + row * gemm_.row_stride() * to_bytes;
      to_operand_(from + row * x_stride_ * from_bytes, to, k_);
      for (int64_t i = k_ * to_bytes; i < gemm_.padded_k() * to_bytes; ++i) to[i] = std::byte{0};
    }
    return {scratch, gemm_.row_stride()};
  }

  int64_t k_, n_, x_stride_ = 0;
  ToOperand to_operand_;
  bool in_place_, has_bias_, has_gate_, has_residual_;
  std::string variant_;
  Gemm gemm_;
  FinishArgs finish_{};
};

}  // namespace

std::unique_ptr<Kernel> make_linear(const KernelSpec& spec) { return std::make_unique<Linear>(spec); }

}  // namespace yanrt::cpu
