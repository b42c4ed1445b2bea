// y = a b of computed matrices, a batch of them: the GEMM of linear, one group a batch entry. An operand that does not
// lie as the kernel reads it (rows along k, 16-byte aligned, bf16) is copied first.
#include <optional>

#include "backends/cuda/kernels/gemm/gemm_args.h"
#include "backends/cuda/kernels/gemm/tiles.h"
#include "backends/cuda/kernels/strided.h"
#include "core/error.h"
#include "runtime/plan.h"

namespace yanrt::cuda {
namespace {

constexpr int64_t kMostGroups = 65535;  // the third dimension of a grid

TensorDesc with_last_two_swapped(TensorDesc desc) {
  std::swap(desc.shape[-1], desc.shape[-2]);
  std::swap(desc.strides[-1], desc.strides[-2]);
  return desc;
}

// Rows [batch, rows, k] as the kernel reads them.
class MatrixRows {
 public:
  MatrixRows(const OpNode& op, const TensorDesc& desc, DType type, size_t alignment)
      : k_(desc.shape[-1]), rows_(desc.shape[-2]) {
    const auto per_chunk = static_cast<int64_t>(16 / size_of(type));
    const int64_t padded = type == DType::f32 ? k_ : (k_ + per_chunk - 1) / per_chunk * per_chunk;
    row_bytes_ = static_cast<size_t>(padded) * size_of(type);
    batch_ = rows_ > 0 && k_ > 0 ? desc.numel() / (rows_ * k_) : 0;
    if (desc.dtype == type && desc.is_dense() && padded == k_ && (type == DType::f32 || alignment % 16 == 0)) return;
    TensorDesc to{type, desc.shape, desc.shape};
    int64_t step = padded;
    to.strides[-1] = 1;
    for (int i = desc.shape.rank() - 2; i >= 0; --i) {
      to.strides[i] = step;
      step *= desc.shape[i];
    }
    is_padded_ = padded != k_;
    copy_.emplace(op, desc, to, std::min<size_t>(alignment, 16));
  }

  uint32_t row_bytes() const { return static_cast<uint32_t>(row_bytes_); }
  int64_t batch() const { return batch_; }
  size_t bytes() const { return static_cast<size_t>(batch_ * rows_) * row_bytes_; }
  size_t scratch_bytes() const { return copy_ ? align_up(bytes()) : 0; }
  const std::byte* prepare(const std::byte* x, std::byte* scratch, cudaStream_t stream) const {
    if (!copy_) return x;
    if (is_padded_) check(cudaMemsetAsync(scratch, 0, bytes(), stream), "cudaMemsetAsync");
    copy_->launch(x, scratch, stream);
    return scratch;
  }

 private:
  int64_t k_, rows_, batch_;
  size_t row_bytes_;
  bool is_padded_ = false;
  std::optional<StridedCopy> copy_;
};

class Matmul final : public Kernel {
 public:
  explicit Matmul(const KernelSpec& spec)
      : type_(spec.precision == Precision::fp32 ? DType::f32 : DType::bf16),
        a_(spec.op, spec.inputs[0], type_, spec.alignments[0]),
        b_(spec.op, spec.op.attrs.integer("transpose_b") ? spec.inputs[1] : with_last_two_swapped(spec.inputs[1]),
           type_, spec.alignments[1]) {
    const Dims& y = spec.outputs[0].shape;
    checked_count(spec.op, y.numel());
    if (a_.batch() > kMostGroups)
      throw Error(ErrorKind::unsupported, "matmul (" + spec.op.source + ") has a batch of " +
                                              std::to_string(a_.batch()) + "; the CUDA kernels take " +
                                              std::to_string(kMostGroups) + ": split it, or use device='cpu'");
    shape_ = {.m = static_cast<uint32_t>(y[-2]),
              .n = static_cast<uint32_t>(y[-1]),
              .groups = static_cast<uint32_t>(a_.batch()),
              .k_bytes = a_.row_bytes(),
              .b = nullptr,
              .stacked = true};
    tile_ = choose_tile(y[-2], y[-1], a_.batch(), spec.device);
    epilogue_.columns = shape_.n;
    epilogue_.gate_rows = epilogue_.gate_count = 1;
    epilogue_.y_is_bf16 = spec.outputs[0].dtype == DType::bf16;
    is_empty_ = y.numel() == 0;
    variant_ = type_ == DType::f32 ? "matmul.fp32.simt" : "matmul.bf16." + std::string(name_of(tile_));
  }

  void launch(const KernelCall& call) const override {
    if (is_empty_) return;
    GemmShape shape = shape_;
    Epilogue epilogue = epilogue_;
    epilogue.y = call.outputs[0];
    const DenseRows rows{a_.prepare(call.inputs[0], call.scratch, call.stream), shape.k_bytes,
                         static_cast<int64_t>(shape.m) * shape.k_bytes};
    shape.b = b_.prepare(call.inputs[1], call.scratch + a_.scratch_bytes(), call.stream);
    check(type_ == DType::f32 ? launch_gemm_f32(rows, shape, epilogue, call.stream)
                              : launch_gemm_bf16(tile_, rows, shape, epilogue, call.stream),
          "launch of matmul");
  }
  size_t scratch_bytes() const override { return a_.scratch_bytes() + b_.scratch_bytes(); }
  std::string_view variant() const override { return variant_; }

 private:
  DType type_;
  MatrixRows a_, b_;
  GemmShape shape_{};
  Tile tile_ = Tile::t64;
  Epilogue epilogue_{};
  bool is_empty_ = false;
  std::string variant_;
};

}  // namespace

std::unique_ptr<Kernel> make_matmul(const KernelSpec& spec) { return std::make_unique<Matmul>(spec); }

}  // namespace yanrt::cuda
