#include "backends/cpu/kernels/gemm.h"

#include <cstring>

#include "core/bf16.h"
#include "core/error.h"

namespace yanrt::cpu {
namespace {

constexpr int64_t kBlockTiles = 8;               // rows of a block, in tiles
constexpr size_t kBlockBytes = 1024 * 1024;      // of x, at most
constexpr size_t kPanelBlockBytes = 128 * 1024;  // of a panel, at most, between two visits to a block of sums
constexpr int64_t kFillColumns = 16;             // bringing rows into scratch costs as much as this many columns
constexpr int64_t kMacsPerWorker = 64 * 1024;    // less is not worth a second worker

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
int64_t round_up(int64_t a, int64_t b) { return ceil_div(a, b) * b; }
size_t element_bytes(bool is_bf16) { return is_bf16 ? 2 : 4; }

}  // namespace

Activation parse_activation(std::string_view name) {
  if (name == "gelu") return Activation::gelu;
  if (name == "gelu_tanh") return Activation::gelu_tanh;
  if (name == "silu") return Activation::silu;
  if (name == "relu") return Activation::relu;
  return Activation::none;
}

const TileLoop& tile_for(const Loops& loops, DType compute) {
  return compute == DType::bf16 ? loops.gemm.bf16 : loops.gemm.f32;
}

// ---- weights
// -----------------------------------------------------------------------------------------------------------
WeightReader::WeightReader(const StoredTensor& tensor) : dtype_(tensor.dtype), data_(tensor.data.data()) {
  if (!is_floating(dtype_))
    throw Error(ErrorKind::unsupported, "weight '" + tensor.name + "' is " + std::string(name_of(dtype_)) +
                                            "; the CPU backend takes f32, bf16 and f8e4m3");
  if (dtype_ != DType::f8e4m3) return;
  for (int bits = 0; bits < 256; ++bits) f8_values_.push_back(f8e4m3_to_f32(static_cast<uint8_t>(bits)));
}

float WeightReader::operator[](int64_t i) const {
  if (dtype_ == DType::f8e4m3) return f8_values_[static_cast<uint8_t>(data_[i])];
  if (dtype_ == DType::bf16) {
    uint16_t bits;
    std::memcpy(&bits, data_ + 2 * i, sizeof(bits));
    return bf16_to_f32(bits);
  }
  float value;
  std::memcpy(&value, data_ + 4 * i, sizeof(value));
  return value;
}

const float* weight_scales(const Constant& weight, WeightCache& cache) {
  if (!weight.scale) return nullptr;
  const std::span<const std::byte> data = weight.scale->data;
  return reinterpret_cast<const float*>(cache.get(weight.scale->name, "scale", data.size(),
                                                  [&](std::byte* to) { std::memcpy(to, data.data(), data.size()); }));
}

Panels::Panels(const Constant& weight, WeightCache& cache, const TileLoop& tile, int64_t groups, int64_t n, int64_t k)
    : per_group_(ceil_div(n, tile.columns)),
      panel_bytes_(static_cast<size_t>(round_up(k, tile.group) * tile.columns) * element_bytes(tile.b_is_bf16)) {
  const std::string form = std::string("panels.") + (tile.b_is_bf16 ? "bf16." : "f32.") + std::to_string(tile.columns) +
                           "x" + std::to_string(tile.group) + "." + std::to_string(groups);
  const size_t bytes = static_cast<size_t>(groups * per_group_) * panel_bytes_;
  data_ = cache.get(weight.tensor->name, form, bytes, [&](std::byte* to) {
    const WeightReader values(*weight.tensor);
    for (int64_t row = 0; row < groups * n; ++row) {
      const int64_t channel = row % n, panel = row / n * per_group_ + channel / tile.columns;
      std::byte* out = to + static_cast<size_t>(panel) * panel_bytes_;
      for (int64_t p = 0; p < k; ++p) {
        const int64_t at = (p / tile.group * tile.columns + channel % tile.columns) * tile.group + p % tile.group;
        const float value = values[row * k + p];
        if (tile.b_is_bf16)
          reinterpret_cast<uint16_t*>(out)[at] = f32_to_bf16(value);
        else
          reinterpret_cast<float*>(out)[at] = value;
      }
    }
  });
}

// ---- activations
// -------------------------------------------------------------------------------------------------------
ToOperand::ToOperand(const ConvertLoops& convert, const TileLoop& tile, DType from)
    : convert_(convert), from_size_(size_of(from)), to_size_(element_bytes(tile.a_is_bf16)) {
  if (from == DType::bf16)
    kind_ = tile.a_is_bf16 ? Kind::copy : Kind::widen;
  else
    kind_ = tile.a_is_bf16 ? Kind::narrow : tile.b_is_bf16 ? Kind::round : Kind::copy;
}

void ToOperand::operator()(const std::byte* from, std::byte* to, int64_t count) const {
  const auto n = static_cast<size_t>(count);
  switch (kind_) {
    case Kind::copy: std::memcpy(to, from, n * to_size_); return;
    case Kind::narrow:
      convert_.f32_to_bf16(reinterpret_cast<const float*>(from), reinterpret_cast<uint16_t*>(to), n);
      return;
    case Kind::widen:
      convert_.bf16_to_f32(reinterpret_cast<const uint16_t*>(from), reinterpret_cast<float*>(to), n);
      return;
    case Kind::round:
      convert_.round_to_bf16(reinterpret_cast<const float*>(from), reinterpret_cast<float*>(to), n);
      return;
  }
}

// ---- Gemm
// --------------------------------------------------------------------------------------------------------------
Gemm::Gemm(const KernelSpec& spec, const Loops& loops, const Constant& weight, const Shape& shape, bool in_place)
    : shape_(shape),
      in_place_(in_place),
      tile_(tile_for(loops, spec.compute)),
      loops_(loops.gemm),
      panels_(weight, spec.weights, tile_, shape.groups, shape.n, shape.k),
      panel_count_(ceil_div(shape.n, tile_.columns)),
      padded_k_(round_up(shape.k, tile_.group)),
      row_stride_(round_up(shape.k, 32)) {
  const size_t row_bytes = static_cast<size_t>(row_stride_) * element_bytes(tile_.a_is_bf16);
  const int64_t tiles = std::min(kBlockTiles, ceil_div(shape.m, tile_.rows));
  const auto fitting = static_cast<int64_t>(kBlockBytes / (row_bytes * static_cast<size_t>(tile_.rows)));
  block_rows_ = tile_.rows * std::clamp<int64_t>(fitting, 1, tiles);
  const size_t k_bytes = static_cast<size_t>(tile_.columns) * element_bytes(tile_.b_is_bf16);
  block_k_ = std::max<int64_t>(static_cast<int64_t>(kPanelBlockBytes / k_bytes) / 2 * 2, 2);
  sums_bytes_ = static_cast<size_t>(round_up(block_rows_ * tile_.columns, 16)) * sizeof(float);
  rows_bytes_ = in_place ? 0 : static_cast<size_t>(block_rows_) * row_bytes;
  const int64_t pieces = ceil_div(shape.m, tile_.rows) * panel_count_;
  const int64_t worth = std::max<int64_t>(shape.m * shape.n * shape.k / kMacsPerWorker, 1);
  useful_workers_ = static_cast<int>(std::min<int64_t>({pieces, worth, spec.max_workers}));
  for (int workers = 0; workers <= spec.max_workers; ++workers) grids_.push_back(choose_grid(workers));
}

// The rectangle of the busiest worker is made as cheap as possible; on a tie rows are split, which fills fewer rows
// twice.
Gemm::Grid Gemm::choose_grid(int workers) const {
  Grid best;
  int64_t best_cost = -1;
  for (int along_panels = 1; along_panels <= workers; ++along_panels) {
    if (workers % along_panels) continue;
    const int along_rows = workers / along_panels;
    const int64_t rows = ceil_div(ceil_div(shape_.m, tile_.rows), along_rows) * tile_.rows;
    const int64_t columns = ceil_div(panel_count_, along_panels) * tile_.columns;
    const int64_t cost = rows * (columns + (in_place_ ? 0 : kFillColumns));
    if (best_cost >= 0 && cost >= best_cost) continue;
    best_cost = cost;
    best = {along_rows, along_panels};
  }
  return best;
}

void Gemm::multiply(const Rows& rows, int64_t count, const std::byte* panel, float* sums) const noexcept {
  const auto a_bytes = static_cast<int64_t>(element_bytes(tile_.a_is_bf16));
  const auto k_bytes = tile_.columns * static_cast<int64_t>(element_bytes(tile_.b_is_bf16));
  for (int64_t k = 0; k < padded_k_; k += block_k_) {
    const int64_t length = std::min(block_k_, padded_k_ - k);
    for (int64_t row = 0; row < count; row += tile_.rows) {
      const int tile_rows = static_cast<int>(std::min<int64_t>(tile_.rows, count - row));
      tile_.run(tile_rows, rows.data + (row * rows.stride + k) * a_bytes, rows.stride, panel + k * k_bytes, length,
                sums + row * tile_.columns, k > 0);
    }
  }
}

void Gemm::finish_block(const FinishArgs& finish, int64_t first_row, int64_t count, int64_t panel,
                        float* sums) const noexcept {
  const int64_t column = panel * tile_.columns, offset = first_row * finish.y_stride + column;
  FinishArgs args = finish;
  args.first_row = first_row;
  if (args.scale) args.scale += column;
  if (args.bias) args.bias += column;
  if (args.gate) args.gate += column;
  if (args.residual) args.residual += offset;
  args.y = static_cast<std::byte*>(args.y) + offset * static_cast<int64_t>(element_bytes(args.y_is_bf16));
  loops_.finish(args, sums, tile_.columns, count, std::min<int64_t>(tile_.columns, shape_.n - column));
}

}  // namespace yanrt::cpu
