// y = a b of two computed matrices, for every entry of the leading dimensions. The unit of work is one panel of b
// (some columns of one matrix): whoever takes it packs it into scratch, as weights are packed at load, and multiplies
// all rows of a with it.
#include <algorithm>
#include <cstring>

#include "backends/cpu/kernels/gemm.h"
#include "backends/cpu/kernels/rounding.h"
#include "core/bf16.h"

namespace yanrt::cpu {
namespace {

constexpr int64_t kBlockTiles = 8;             // rows of a brought into scratch at a time, in tiles
constexpr int64_t kMacsPerWorker = 64 * 1024;  // less is not worth a second worker

// One operand: elements between its matrices, and between the rows of one.
struct Matrices {
  explicit Matrices(const TensorDesc& desc)
      : dtype(desc.dtype), bytes(static_cast<int64_t>(size_of(desc.dtype))), row(desc.strides[-2]) {
    for (int i = 0; i + 2 < desc.shape.rank(); ++i) {
      shape.push_back(desc.shape[i]);
      strides.push_back(desc.strides[i]);
    }
  }
  // Where matrix `index` of the flattened leading dimensions begins.
  const std::byte* at(const std::byte* base, int64_t index) const {
    int64_t offset = 0;
    for (int i = shape.rank() - 1; i >= 0; index /= shape[i--]) offset += index % shape[i] * strides[i];
    return base + offset * bytes;
  }
  DType dtype;
  int64_t bytes, row;
  Dims shape, strides;
};

class MatMul final : public Kernel {
 public:
  explicit MatMul(const KernelSpec& spec)
      : tile_(spec.compute == DType::bf16 ? loops_for(spec.isa).gemm.bf16 : loops_for(spec.isa).gemm.f32),
        finish_(loops_for(spec.isa).gemm.finish),
        to_operand_(loops_for(spec.isa).convert, tile_, spec.inputs[0].dtype),
        a_(spec.inputs[0]),
        b_(spec.inputs[1]),
        transposed_(spec.op.attrs.integer("transpose_b") != 0),
        m_(spec.inputs[0].shape[-2]),
        n_(spec.outputs[0].shape[-1]),
        k_(spec.inputs[0].shape[-1]),
        padded_k_(round_up(k_, tile_.depth)),
        panels_(ceil_div(n_, tile_.columns)),
        items_(spec.outputs[0].numel() / (m_ * n_) * panels_),
        block_rows_(std::min(kBlockTiles * tile_.rows, round_up(m_, tile_.rows))),
        in_place_(to_operand_.is_copy() && padded_k_ == k_),
        y_is_bf16_(spec.outputs[0].dtype == DType::bf16),
        variant_("matmul." + std::string(name_of(spec.compute)) + "." + std::string(name_of(spec.isa))) {
    const int64_t worth = std::max<int64_t>(spec.outputs[0].numel() * k_ / kMacsPerWorker, 1);
    useful_workers_ = static_cast<int>(std::min<int64_t>({items_, worth, spec.max_workers}));
  }

  void run(const KernelCall& call) const noexcept override {
    const Range mine = share(items_, 1, call.worker, call.workers);
    const TileRegisters registers(tile_);
    for (int64_t item = mine.begin; item < mine.end; ++item) {
      const int64_t matrix = item / panels_, column = item % panels_ * tile_.columns;
      pack(b_.at(call.inputs[1], matrix), column, call.scratch);
      multiply(a_.at(call.inputs[0], matrix), call, matrix, column);
    }
  }
  size_t scratch_bytes() const override {
    return panel_bytes(tile_.b) + plain_bytes() + sums_bytes() + (in_place_ ? 0 : rows_bytes());
  }
  std::string_view variant() const override { return variant_; }
  int useful_workers() const override { return useful_workers_; }

 private:
  static size_t aligned(int64_t bytes) { return (static_cast<size_t>(bytes) + 63) / 64 * 64; }
  size_t panel_bytes(Element element) const {
    return aligned(padded_k_ * tile_.columns * static_cast<int64_t>(size_of(element)));
  }
  size_t plain_bytes() const { return tile_.expand ? panel_bytes(tile_.stored) : 0; }  // what a panel is expanded from
  size_t sums_bytes() const { return aligned(block_rows_ * tile_.columns * 4); }
  size_t rows_bytes() const { return aligned(block_rows_ * padded_k_ * static_cast<int64_t>(size_of(tile_.a))); }

  float element(const std::byte* b, int64_t k, int64_t n) const {
    const int64_t at = transposed_ ? n * b_.row + k : k * b_.row + n;
    return b_.dtype == DType::bf16 ? bf16_to_f32(reinterpret_cast<const uint16_t*>(b)[at])
                                   : reinterpret_cast<const float*>(b)[at];
  }

  // Columns [column, column + tile.columns) of b as panel[k / group][columns][group], zero beyond its edges.
  void pack(const std::byte* b, int64_t column, std::byte* to) const {
    std::byte* panel = tile_.expand ? to + panel_bytes(tile_.b) : to;
    const int64_t count = std::min<int64_t>(tile_.columns, n_ - column), group = tile_.group;
    if (count < tile_.columns || padded_k_ != k_) std::memset(panel, 0, panel_bytes(tile_.stored));
    for (int64_t k = 0; k < k_; ++k)
      for (int64_t c = 0; c < count; ++c) {
        const int64_t at = (k / group * tile_.columns + c) * group + k % group;
        const float value = element(b, k, column + c);
        if (tile_.stored == Element::bf16)
          reinterpret_cast<uint16_t*>(panel)[at] = f32_to_bf16(value);
        else
          reinterpret_cast<float*>(panel)[at] = tile_.rounds ? bf16_to_f32(f32_to_bf16(value)) : value;
      }
    if (tile_.expand) tile_.expand(panel, to, padded_k_ * tile_.columns);
  }

  void multiply(const std::byte* a, const KernelCall& call, int64_t matrix, int64_t column) const {
    std::byte* after_panel = call.scratch + panel_bytes(tile_.b) + plain_bytes();
    auto* sums = reinterpret_cast<float*>(after_panel);
    std::byte* scratch = after_panel + sums_bytes();
    FinishArgs finish{};
    finish.y_is_bf16 = y_is_bf16_;
    finish.y_stride = n_;
    for (int64_t first = 0; first < m_; first += block_rows_) {
      const int64_t count = std::min(block_rows_, m_ - first);
      const Rows rows = in_place_ ? Rows{a + first * a_.row * a_.bytes, a_.row} : bring(a, first, count, scratch);
      tile_.run(count, rows.data, rows.stride, Stretches::whole(padded_k_), call.scratch, sums, false, n_ - column,
                Ahead{});
      finish.y = call.outputs[0] + ((matrix * m_ + first) * n_ + column) * (y_is_bf16_ ? 2 : 4);
      finish_(finish, sums, tile_.columns, count, std::min<int64_t>(tile_.columns, n_ - column));
    }
  }

  // Rows of a in the form the tile reads.
  Rows bring(const std::byte* a, int64_t first, int64_t count, std::byte* to) const {
    to_operand_.rows(a + first * a_.row * a_.bytes, a_.row, count, k_, to, padded_k_, padded_k_);
    return {to, padded_k_};
  }

  const TileLoop& tile_;
  decltype(GemmLoops::finish) finish_;
  ToOperand to_operand_;
  Matrices a_, b_;
  bool transposed_;
  int64_t m_, n_, k_, padded_k_, panels_, items_, block_rows_;
  bool in_place_, y_is_bf16_;
  std::string variant_;
  int useful_workers_ = 1;
};

}  // namespace

std::unique_ptr<Kernel> make_matmul(const KernelSpec& spec) { return std::make_unique<MatMul>(spec); }

}  // namespace yanrt::cpu
