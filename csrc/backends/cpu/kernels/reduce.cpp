// reduce: the dimension `dim` of a dense tensor, seen as [outer, rows, inner]. The unit of work is up to kColumns
// neighbouring results; a reduction of the innermost dimension is cut into kColumns lanes, joined at the end.
#include <algorithm>
#include <limits>
#include <type_traits>

#include "backends/cpu/isa/loops.h"
#include "backends/cpu/kernels/strided.h"

namespace yanrt::cpu {
namespace {

constexpr int64_t kColumns = 64;
constexpr int64_t kBlockRows = 64;  // rows summed in f32 before they are added to the totals in double

enum class Fold : uint8_t { sum, max, min };

template <class T>
class Reduce final : public Kernel {
 public:
  using Total = std::conditional_t<std::is_same_v<T, float>, double, int64_t>;

  Reduce(const KernelSpec& spec, const FoldLoops<T>& loops) {
    const Dims& shape = spec.inputs[0].shape;
    const int dim = static_cast<int>(spec.op.attrs.integer("dim"));
    for (int i = 0; i < shape.rank(); ++i) (i < dim ? outer_ : i == dim ? rows_ : inner_) *= shape[i];
    const std::string& kind = spec.op.attrs.choice("kind");
    fold_ = kind == "max" ? Fold::max : kind == "min" ? Fold::min : Fold::sum;
    loop_ = fold_ == Fold::max ? loops.max : fold_ == Fold::min ? loops.min : loops.sum;
    if (fold_ == Fold::max) identity_ = lowest();
    if (fold_ == Fold::min) identity_ = highest();
    if (kind == "mean") divisor_ = rows_;
    pieces_ = (inner_ + kColumns - 1) / kColumns;
    grain_ = std::max<int64_t>(1, kCopyGrain / (rows_ * std::min(inner_, kColumns)));
  }

  void run(const KernelCall& call) const noexcept override {
    const Range mine = share(outer_ * pieces_, grain_, call.worker, call.workers);
    Total totals[kColumns];
    for (int64_t item = mine.begin; item < mine.end; ++item) {
      const int64_t first = item % pieces_ * kColumns, at = item / pieces_ * inner_ + first;
      const T* x = call.in<const T>(0) + item / pieces_ * rows_ * inner_ + first;
      int64_t width = std::min(kColumns, inner_ - first);
      std::fill_n(totals, kColumns, static_cast<Total>(identity_));
      if (inner_ == 1) {
        fold(x, kColumns, rows_ / kColumns, kColumns, totals);
        fold(x + rows_ / kColumns * kColumns, kColumns, 1, rows_ % kColumns, totals);
        for (int64_t c = 1; c < kColumns; ++c) totals[0] = joined(totals[0], totals[c]);
      } else {
        fold(x, inner_, rows_, width, totals);
      }
      for (int64_t c = 0; c < width; ++c) call.out<T>(0)[at + c] = static_cast<T>(totals[c] / divisor_);
    }
  }
  std::string_view variant() const override { return std::is_same_v<T, float> ? "reduce.f32" : "reduce.i64"; }
  int useful_workers() const override { return workers_for(outer_ * pieces_, grain_); }

 private:
  static T lowest() {
    return std::is_same_v<T, float> ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::min();
  }
  static T highest() {
    return std::is_same_v<T, float> ? std::numeric_limits<T>::infinity() : std::numeric_limits<T>::max();
  }

  void fold(const T* x, int64_t stride, int64_t rows, int64_t width, Total* totals) const {
    T block[kColumns];
    for (int64_t row = 0; row < rows; row += kBlockRows) {
      std::fill_n(block, width, identity_);
      loop_(x + row * stride, stride, std::min(kBlockRows, rows - row), block, width);
      for (int64_t c = 0; c < width; ++c) totals[c] = joined(totals[c], static_cast<Total>(block[c]));
    }
  }
  // NaN wins.
  Total joined(Total a, Total b) const {
    if (fold_ == Fold::max) return a > b || a != a ? a : b;
    if (fold_ == Fold::min) return a < b || a != a ? a : b;
    if constexpr (std::is_same_v<T, float>)
      return a + b;
    else
      return static_cast<Total>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));  // wraps
  }

  int64_t outer_ = 1, rows_ = 1, inner_ = 1, pieces_ = 1, grain_ = 1, divisor_ = 1;
  Fold fold_;
  T identity_ = 0;
  void (*loop_)(const T* x, int64_t stride, int64_t rows, T* y, int64_t n);
};

}  // namespace

std::unique_ptr<Kernel> make_reduce(const KernelSpec& spec) {
  const RowLoops& loops = loops_for(spec.isa).row;
  if (spec.inputs[0].dtype == DType::i64) return std::make_unique<Reduce<int64_t>>(spec, loops.fold_integer);
  return std::make_unique<Reduce<float>>(spec, loops.fold_real);
}

}  // namespace yanrt::cpu
