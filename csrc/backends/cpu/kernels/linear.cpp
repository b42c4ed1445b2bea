// y = residual + gate * act(x weight^T + bias), over the rows of x.
#include "backends/cpu/kernels/gemm.h"
#include "core/error.h"

namespace yanrt::cpu {
namespace {

enum Input { kX, kWeight, kBias, kGate, kResidual };

class Linear final : public Kernel {
 public:
  explicit Linear(const KernelSpec& spec)
      : Linear(spec, loops_for(spec.isa), tile_for(loops_for(spec.isa), spec.precision)) {}

  void run(const KernelCall& call) const noexcept override {
    FinishArgs finish = finish_;
    finish.bias = has_bias_ ? call.in<const float>(kBias) : nullptr;
    finish.gate = has_gate_ ? call.in<const float>(kGate) : nullptr;
    finish.residual = has_residual_ ? call.in<const float>(kResidual) : nullptr;
    finish.y = call.outputs[0];
    const std::byte* x = call.inputs[kX];
    gemm_.run(call, 0, finish, [this, x](const RowPart& part, const RowScratch& scratch) {
      return quantised_ ? integer_rows(x, part.first, part.count, scratch) : rows(x, part, scratch);
    });
  }
  size_t scratch_bytes() const override { return gemm_.scratch_bytes(); }
  std::string_view variant() const override { return variant_; }
  int useful_workers() const override { return gemm_.useful_workers(); }

 private:
  Linear(const KernelSpec& spec, const Loops& loops, const TileLoop& tile)
      : k_(spec.inputs[kX].shape[-1]),
        n_(spec.inputs[kWeight].shape[0]),
        x_bytes_(static_cast<int64_t>(size_of(spec.inputs[kX].dtype))),
        to_bytes_(static_cast<int64_t>(size_of(tile.a))),
        to_operand_(loops.convert, tile, spec.inputs[kX].dtype),
        quantiser_(loops.quantise, tile, spec.inputs[kX].dtype, spec.constants[kWeight].tensor->input_peak),
        quantised_(tile.is_integer()),
        in_place_(quantised_ ? quantiser_.in_place(k_) : to_operand_.is_copy() && k_ % tile.depth == 0),
        has_bias_(spec.present[kBias]),
        has_gate_(spec.present[kGate]),
        has_residual_(spec.present[kResidual]),
        variant_("linear." + std::string(name_of(spec.precision)) + "." + std::string(name_of(spec.isa)) +
                 (quantised_ && quantiser_.is_static() ? ".static" : "")),
        gemm_(spec, loops, spec.constants[kWeight], {spec.inputs[kX].numel() / k_, n_, k_},
              {.in_place = in_place_,
               .in_parts = !quantised_,
               .temp_bytes = quantised_ ? quantiser_.code_bytes(k_) : 0}) {
    if (!spec.inputs[kX].as_rows(&x_stride_))
      throw Error(ErrorKind::unsupported, "linear (" + spec.op.source + "): the rows of x " +
                                              spec.inputs[kX].shape.str() + " have no common stride; copy it first");
    finish_.act = parse_activation(spec.op.attrs.choice("act"));
    finish_.gate_rows = spec.op.attrs.integer("gate_rows");
    finish_.gate_count = has_gate_ ? spec.inputs[kGate].numel() / n_ : 1;
    finish_.gate_stride = n_;
    finish_.y_stride = finish_.residual_stride = n_;
    finish_.y_is_bf16 = spec.outputs[0].dtype == DType::bf16;
  }

  Rows rows(const std::byte* x, const RowPart& part, const RowScratch& scratch) const noexcept {
    const std::byte* from = x + (part.first * x_stride_ + part.k) * x_bytes_;
    if (in_place_) return {from, x_stride_};
    to_operand_.rows(from, x_stride_, part.count, part.width, scratch.rows, gemm_.row_stride(),
                     gemm_.padded(part.width));
    return {scratch.rows, gemm_.row_stride()};
  }

  Rows integer_rows(const std::byte* x, int64_t first, int64_t count, const RowScratch& scratch) const noexcept {
    const std::byte* from = x + first * x_stride_ * x_bytes_;
    if (in_place_)  // each row's scale lies behind it
      return {from, x_stride_, reinterpret_cast<const float*>(from + quantised_scale_at(k_)), x_stride_ / 4};
    for (int64_t row = 0; row < count; ++row)
      scratch.scales[row] =
          quantiser_(from + row * x_stride_ * x_bytes_, scratch.rows + row * gemm_.row_stride() * to_bytes_, k_,
                     reinterpret_cast<uint8_t*>(scratch.temp));
    return {scratch.rows, gemm_.row_stride(), scratch.scales, 1};
  }

  int64_t k_, n_, x_stride_ = 0, x_bytes_, to_bytes_;
  ToOperand to_operand_;
  RowQuantiser quantiser_;
  bool quantised_, in_place_, has_bias_, has_gate_, has_residual_;
  std::string variant_;
  Gemm gemm_;
  FinishArgs finish_{};
};

}  // namespace

std::unique_ptr<Kernel> make_linear(const KernelSpec& spec) { return std::make_unique<Linear>(spec); }

}  // namespace yanrt::cpu
