// layer_norm and rms_norm: one kernel, with the mean or without.
#include "backends/cuda/kernels/norms.h"
#include "backends/cuda/kernels/strided.h"
#include "backends/cuda/quantised_values.h"
#include "core/error.h"

namespace yanrt::cuda {
namespace {

enum Input : size_t { kX, kScale, kShift };

class RowNorm final : public Kernel {
 public:
  RowNorm(const KernelSpec& spec, bool centred) {
    args_.centred = centred;
    writes_quantised_ = spec.writes_quantised;
    const TensorDesc& x = spec.inputs[kX];
    if (!x.as_rows(&args_.x_stride))
      throw Error(ErrorKind::unsupported, std::string(spec.op.def->name) + " (" + spec.op.source + "): the rows of x " +
                                              x.shape.str() + " have no common stride; copy it first");
    args_.d = static_cast<uint32_t>(x.shape[-1]);
    args_.rows = checked_count(spec.op, x.numel() / x.shape[-1]);
    args_.group_rows = static_cast<uint32_t>(spec.op.attrs.integer("group_rows"));
    const auto groups = [&](size_t input) {
      return spec.has(input) ? static_cast<uint32_t>(spec.inputs[input].numel() / x.shape[-1]) : 1;
    };
    args_.scale_groups = groups(kScale);
    args_.shift_groups = groups(kShift);
    args_.eps = static_cast<float>(spec.op.attrs.real("eps"));
    args_.x_is_bf16 = x.dtype == DType::bf16;
    args_.y_is_bf16 = spec.outputs[0].dtype == DType::bf16;
    args_.peak = spec.written_peak;
  }

  void launch(const KernelCall& call) const override {
    if (args_.rows == 0) return;
    RowNormArgs args = args_;
    args.x = call.inputs[kX];
    args.scale = call.in<const float>(kScale);
    args.shift = call.in<const float>(kShift);
    args.y = call.outputs[0];
    if (writes_quantised_) args.row_scales = reinterpret_cast<float*>(args.y + quantised_scales_at(args.rows, args.d));
    check(launch_row_norm(args, call.stream), "launch of row_norm");
  }
  std::string_view variant() const override {
    if (writes_quantised_ && args_.peak > 0) return args_.centred ? "layer_norm.e4m3.static" : "rms_norm.e4m3.static";
    if (writes_quantised_) return args_.centred ? "layer_norm.e4m3" : "rms_norm.e4m3";
    return args_.centred ? "layer_norm" : "rms_norm";
  }

 private:
  bool writes_quantised_ = false;
  RowNormArgs args_{};
};

}  // namespace

std::unique_ptr<Kernel> make_layer_norm(const KernelSpec& spec) { return std::make_unique<RowNorm>(spec, true); }
std::unique_ptr<Kernel> make_rms_norm(const KernelSpec& spec) { return std::make_unique<RowNorm>(spec, false); }

}  // namespace yanrt::cuda
