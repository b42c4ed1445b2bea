// y = residual + gate * act(x weight^T + bias), over the rows of x.
#include "backends/cuda/kernels/gemm/finish_rows.h"
#include "backends/cuda/kernels/gemm/operand_rows.h"
#include "backends/cuda/kernels/gemm/tiles.h"
#include "backends/cuda/kernels/gemm/weight_rows.h"
#include "backends/cuda/kernels/strided.h"
#include "backends/cuda/quantised_values.h"
#include "core/error.h"

namespace yanrt::cuda {
namespace {

enum Input : size_t { kX, kWeight, kBias, kGate, kResidual };

// What the tensor cores multiply; f32 where they are not used.
DType operand_type(Precision precision) {
  switch (precision) {
    case Precision::fp32: return DType::f32;
    case Precision::fp8: return DType::f8e4m3;
    default: return DType::bf16;
  }
}

class Linear final : public Kernel {
 public:
  explicit Linear(const KernelSpec& spec)
      : m_(checked_count(spec.op, spec.inputs[kX].numel() / spec.inputs[kX].shape[-1])),
        n_(checked_count(spec.op, spec.inputs[kWeight].shape[0])),
        k_(spec.inputs[kX].shape[-1]),
        type_(operand_type(spec.precision)),
        x_stride_(row_stride(spec)),
        rows_(type_ == DType::f32 ? DType::bf16 : type_, spec.inputs[kX].dtype, m_, k_, x_stride_, spec.alignments[kX],
              spec.constants[kWeight].tensor->input_peak),
        weight_(pack_weight_rows(spec.constants[kWeight], spec.weights, type_, n_, 1, k_)),
        tile_(type_ == DType::f8e4m3 && !has_e4m3_conversion(spec.device.sm) ? Tile::t64
                                                                             : choose_tile(m_, n_, 1, spec.device)),
        native_(has_native_e4m3_mma(spec.device.sm)),
        reads_quantised_(spec.reads_quantised),
        writes_quantised_(spec.writes_quantised) {
    if (spec.cublaslt && type_ != DType::f32 && n_ % 16 == 0)
      product_ = spec.cublaslt->plan({.type = type_, .m = m_, .n = n_, .k = operand_k(), .x_stride = operand_stride()});
    epilogue_.column_scale = weight_.scale;
    epilogue_.columns = n_;
    epilogue_.act = parse_activation(spec.op.attrs.choice("act"));
    epilogue_.gate_rows = static_cast<uint32_t>(spec.op.attrs.integer("gate_rows"));
    epilogue_.gate_count = spec.has(kGate) ? static_cast<uint32_t>(spec.inputs[kGate].numel() / n_) : 1;
    epilogue_.y_is_bf16 = spec.outputs[0].dtype == DType::bf16;
    epilogue_.y_scale = spec.written_peak / kE4m3Largest;
    variant_ = "linear." + std::string(name_of(spec.precision)) + "." +
               (product_              ? "cublaslt"
                : type_ == DType::f32 ? "simt"
                                      : std::string(name_of(tile_))) +
               (type_ == DType::f8e4m3 && !native_ && !product_ ? ".widened" : "") +
               (type_ == DType::f8e4m3 && spec.constants[kWeight].tensor->input_peak > 0 ? ".static" : "") +
               (writes_quantised_ ? ".to_e4m3" : "");
  }

  void launch(const KernelCall& call) const override {
    if (m_ == 0) return;
    Epilogue epilogue = epilogue_;
    epilogue.bias = call.in<const float>(kBias);
    epilogue.gate = call.in<const float>(kGate);
    epilogue.residual = call.in<const float>(kResidual);
    epilogue.y = call.outputs[0];
    if (writes_quantised_) epilogue.y_scales = reinterpret_cast<float*>(call.outputs[0] + quantised_scales_at(m_, n_));
    if (type_ == DType::f32) {
      const DenseRows rows{call.inputs[kX], x_stride_ * static_cast<int64_t>(sizeof(float)), 0};
      check(launch_gemm_f32(rows, shape(k_ * sizeof(float)), epilogue, call.stream), "launch of gemm_f32");
      return;
    }
    const OperandRows::Prepared x = prepare(call);
    epilogue.row_scale = x.scales;
    if (product_)
      launch_product(x, epilogue, call);
    else if (type_ == DType::bf16)
      check(launch_gemm_bf16(tile_, x.rows, shape(rows_.k_bytes()), epilogue, call.stream), "launch of gemm_bf16");
    else
      check(launch_gemm_e4m3(native_, tile_, x.rows, shape(rows_.k_bytes()), epilogue, call.stream),
            "launch of gemm_e4m3");
  }
  size_t scratch_bytes() const override {
    return operand_bytes() + (product_ ? sums_bytes() + CublasLt::kWorkspaceBytes : 0);
  }
  std::string_view variant() const override { return variant_; }

 private:
  static int64_t row_stride(const KernelSpec& spec) {
    int64_t stride = 0;
    if (!spec.inputs[kX].as_rows(&stride))
      throw Error(ErrorKind::unsupported, "linear (" + spec.op.source + "): the rows of x " +
                                              spec.inputs[kX].shape.str() + " have no common stride; copy it first");
    return stride;
  }
  // Elements of a row of A as the GEMM reads it, and from one to the next.
  uint64_t operand_k() const { return rows_.k_bytes() / size_of(type_); }
  int64_t operand_stride() const { return rows_.in_place() ? x_stride_ : static_cast<int64_t>(operand_k()); }
  // Of the scratch: converted rows, then what a product by cuBLASLt needs.
  size_t operand_bytes() const { return type_ == DType::f32 || reads_quantised_ ? 0 : rows_.scratch_bytes(); }
  size_t sums_bytes() const { return align_up(sizeof(float) * m_ * n_); }
  void launch_product(const OperandRows::Prepared& x, const Epilogue& epilogue, const KernelCall& call) const {
    std::byte* sums = call.scratch + operand_bytes();
    product_->launch(x.rows.data, weight_.data, reinterpret_cast<float*>(sums), sums + sums_bytes(), call.stream);
    check(launch_finish_rows(reinterpret_cast<const float*>(sums), m_, epilogue, call.stream), "launch of finish_rows");
  }
  OperandRows::Prepared prepare(const KernelCall& call) const {
    const std::byte* x = call.inputs[kX];
    if (!reads_quantised_) return rows_.prepare(x, call.scratch, call.stream);
    return {{x, k_, 0}, reinterpret_cast<const float*>(x + quantised_scales_at(m_, static_cast<size_t>(k_)))};
  }
  GemmShape shape(size_t k_bytes) const {
    return {
        .m = m_, .n = n_, .groups = 1, .k_bytes = static_cast<uint32_t>(k_bytes), .b = weight_.data, .stacked = false};
  }

  uint32_t m_, n_;
  int64_t k_;
  DType type_;
  int64_t x_stride_;
  OperandRows rows_;
  WeightRows weight_;
  Tile tile_;
  std::unique_ptr<CublasLt::Product> product_;  // or an own kernel
  bool native_, reads_quantised_, writes_quantised_;
  Epilogue epilogue_{};
  std::string variant_;
};

}  // namespace

std::unique_ptr<Kernel> make_linear(const KernelSpec& spec) { return std::make_unique<Linear>(spec); }

}  // namespace yanrt::cuda
