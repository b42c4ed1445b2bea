#include "backends/cpu/kernels/gemm.h"

#include <utility>

#include "backends/cpu/cache_sizes.h"
#include "backends/cpu/kernels/rounding.h"
#include "core/error.h"

namespace yanrt::cpu {
namespace {

constexpr int64_t kFillColumns = 16;           // bringing rows into scratch costs as much as this many columns
constexpr int64_t kReadRows = 16;              // reading weights from memory, as much as this many rows
constexpr int64_t kMacsPerWorker = 64 * 1024;  // less is not worth a second worker
constexpr int64_t kMostIntegerK = 1 << 16;     // 65536 products of 255 and 127 still fit 32 bits
constexpr int64_t kPartStep = 128;             // a multiple of every tile's chain
constexpr int64_t kStep = 64;                  // a multiple of every tile's depth
constexpr int64_t kExpandRows = 192;           // expanding a panel for fewer rows is not worth it

// Parts [first, first + count) of `parts`: of its rows, or of the bytes of its only one.
Ahead::Span part_of(const Ahead::Span& span, int64_t first, int64_t count, int64_t parts) {
  const int64_t whole = span.rows == 1 ? span.bytes : span.rows;
  const int64_t begin = whole * first / parts, end = whole * (first + count) / parts;
  if (span.rows == 1) return {span.at + begin, end - begin, 0, end > begin};
  return {span.at + begin * span.stride, span.bytes, span.stride, end - begin};
}

}  // namespace

Activation parse_activation(std::string_view name) {
  if (name == "gelu") return Activation::gelu;
  if (name == "gelu_tanh") return Activation::gelu_tanh;
  if (name == "silu") return Activation::silu;
  if (name == "relu") return Activation::relu;
  return Activation::none;
}

const TileLoop& tile_for(const Loops& loops, Precision precision) {
  switch (precision) {
    case Precision::fp32: return loops.gemm.f32;
    case Precision::bf16: return loops.gemm.bf16;
    case Precision::int8: return loops.gemm.int8;
    case Precision::fp8: return loops.gemm.fp8;
  }
  return loops.gemm.f32;
}

Gemm::Gemm(const KernelSpec& spec, const Loops& loops, const Constant& weight, const Shape& shape, const Source& source)
    : shape_(shape),
      source_(source),
      tile_(tile_for(loops, spec.precision)),
      loops_(loops.gemm),
      panels_(weight, spec.weights, tile_, shape.groups, shape.n, shape.k),
      panel_count_(ceil_div(shape.n, tile_.columns)),
      padded_k_(padded(shape.k)) {
  if (tile_.is_integer() && shape.k > kMostIntegerK)
    throw Error(ErrorKind::unsupported, std::string(spec.op.def->name) + " (" + spec.op.source + "): sums of " +
                                            std::to_string(shape.k) + " products do not fit int32; int8 takes " +
                                            std::to_string(kMostIntegerK) + " at most, use bf16");
  if (spec.store) store_.emplace(*spec.store, loops.pointwise);
  if (source_.image == 0) source_.image = shape.m;
  choose_blocks();
  lay_out_scratch();
  const int64_t pieces = ceil_div(shape.m, grain()) * panel_count_;
  const int64_t worth = std::max<int64_t>(shape.m * shape.n * shape.k / kMacsPerWorker, 1);
  useful_workers_ = static_cast<int>(std::min<int64_t>({pieces, worth, spec.max_workers}));
  for (int workers = 0; workers <= spec.max_workers; ++workers) grids_.push_back(choose_grid(workers));
}

int64_t Gemm::padded(int64_t k) const { return round_up(k, tile_.depth); }

void Gemm::choose_blocks() {
  // No power of two: rows would compete for cache lines.
  const auto stride_of = [](int64_t k) { return round_up(k, 32) + 32; };
  const auto rows_in_cache = [&](int64_t k) {
    return static_cast<int64_t>(cache_sizes().level2 / 2 / (static_cast<size_t>(stride_of(k)) * size_of(tile_.a)));
  };
  part_k_ = padded_k_;
  if (tile_.expand && source_.in_parts)
    for (int64_t parts = 2; rows_in_cache(part_k_) < std::min(kExpandRows, shape_.m) && part_k_ > kPartStep; ++parts)
      part_k_ = round_up(ceil_div(padded_k_, parts), kPartStep);
  row_stride_ = stride_of(part_k_);
  block_rows_ =
      tile_.rows * std::clamp<int64_t>(rows_in_cache(part_k_) / tile_.rows, 1, ceil_div(shape_.m, tile_.rows));
  if (source_.block_rows) block_rows_ = source_.block_rows;
  streams_ = tile_.chain && !tile_.expand && panels_.bytes() > cache_sizes().level2 / 8;
  // The tiles of chains take so long that their sums may as well lie in the second-level cache.
  const size_t sums_room = tile_.chain && !streams_ ? cache_sizes().level2 / 16 : cache_sizes().level1 / 3;
  const auto sums_in_cache = static_cast<int64_t>(sums_room / sizeof(float)) / tile_.columns;
  strip_rows_ = tile_.rows * std::clamp<int64_t>(sums_in_cache / tile_.rows, 1, ceil_div(block_rows_, tile_.rows));
  if (part_k_ < padded_k_) strip_rows_ = block_rows_;
  expands_whole_ = tile_.expand && (strip_rows_ < block_rows_ || source_.run);
  const size_t k_bytes = static_cast<size_t>(tile_.columns) * size_of(tile_.b);
  block_k_ = tile_.chain ? tile_.chain
                         : std::clamp<int64_t>(static_cast<int64_t>(cache_sizes().level1 / k_bytes) / kStep * kStep,
                                               kStep, round_up(padded_k_, kStep));
}

void Gemm::lay_out_scratch() {
  size_t at = 0;
  const auto reserve = [&at](int64_t bytes) {
    const size_t start = at;
    at += static_cast<size_t>(round_up(bytes, 64));
    return start;
  };
  const int64_t strip = strip_rows_ * tile_.columns, waiting = part_k_ < padded_k_ ? panel_count_ : 1;
  reserve(waiting * strip * static_cast<int64_t>(sizeof(float)));
  strip_at_ = reserve(store_ ? strip * static_cast<int64_t>(sizeof(float)) : 0);
  store_at_ = reserve(store_ ? static_cast<int64_t>(store_->scratch_bytes(strip)) : 0);
  const int64_t expanded_k = !tile_.expand ? 0 : expands_whole_ ? padded_k_ : block_k_;
  panel_at_ = reserve(expanded_k * tile_.columns * static_cast<int64_t>(size_of(tile_.b)));
  scales_at_ = reserve(tile_.is_integer() ? block_rows_ * static_cast<int64_t>(sizeof(float)) : 0);
  const int64_t rows_bytes = block_rows_ * row_stride_ * static_cast<int64_t>(size_of(tile_.a));
  rows_at_ = reserve(source_.in_place ? 0 : source_.rows_bytes ? source_.rows_bytes : rows_bytes);
  temp_at_ = reserve(source_.temp_bytes);
  scratch_bytes_ = at;
}

// The rectangle of the busiest worker is made as cheap as possible. It brings its rows into scratch and reads its
// weights, once a block of rows.
Gemm::Grid Gemm::choose_grid(int workers) const {
  Grid best;
  int64_t best_cost = -1;
  for (int along_panels = 1; along_panels <= workers; ++along_panels) {
    if (workers % along_panels) continue;
    const int along_rows = workers / along_panels;
    const int64_t rows = ceil_div(ceil_div(shape_.m, grain()), along_rows) * grain();
    const int64_t columns = ceil_div(panel_count_, along_panels) * tile_.columns;
    const int64_t cost =
        rows * (columns + (source_.in_place ? 0 : kFillColumns)) + ceil_div(rows, block_rows_) * columns * kReadRows;
    if (best_cost >= 0 && cost >= best_cost) continue;
    best_cost = cost;
    best = {along_rows, along_panels};
  }
  return best;
}

void Gemm::multiply_block(const FinishArgs& finish, const Block& block, const Range& panels, int64_t panel,
                          std::byte* scratch) const noexcept {
  const int64_t stored_k = tile_.columns * static_cast<int64_t>(size_of(tile_.stored));  // bytes
  const std::byte* weights = panels_.at(block.group, panel) + block.k * stored_k;
  const bool ends = block.k + block.width == padded_k_;
  const std::byte* next = panel + 1 < panels.end ? panels_.at(block.group, panel + 1) + block.k * stored_k
                          : !ends ? panels_.at(block.group, panels.begin) + (block.k + block.width) * stored_k
                                  : nullptr;
  std::byte* expanded = tile_.expand ? scratch + panel_at_ : nullptr;
  if (expands_whole_) {
    tile_.expand(weights, expanded, block.width * tile_.columns);
    weights = std::exchange(expanded, nullptr);
  }
  auto* sums = reinterpret_cast<float*>(scratch);
  if (part_k_ < padded_k_) sums += (panel - panels.begin) * strip_rows_ * tile_.columns;
  for (int64_t row = 0, rows = 0; row < block.count; row += rows) {
    rows = std::min({strip_rows_, block.count - row, block.rows.run - row % block.rows.run});
    Ahead ahead{};
    if (next && !streams_) ahead.spans[0] = part_of({next, block.width * stored_k, 0, 1}, row, rows, block.count);
    if (tile_.chain && ends) fetch_operands(finish, panel, block.first_row + row, rows, ahead);
    const std::byte* follows = row + rows == block.count ? next : nullptr;
    multiply(block, row, rows, weights, expanded, shape_.n - panel * tile_.columns, sums, ahead, follows);
    if (ends) finish_strip(finish, block, row, rows, panel, sums, scratch);
  }
}

int64_t Gemm::evenly(const Range& rows) const {
  const int64_t count = rows.end - rows.begin, blocks = std::max<int64_t>(ceil_div(count, block_rows_), 1);
  return round_up(ceil_div(count, blocks), tile_.rows);
}

// What finish_strip reads and writes of memory: a store waits for its line.
void Gemm::fetch_operands(const FinishArgs& finish, int64_t panel, int64_t first_row, int64_t rows,
                          Ahead& ahead) const noexcept {
  const int64_t column = panel * tile_.columns, columns = std::min<int64_t>(tile_.columns, shape_.n - column);
  const auto span = [&](const void* matrix, int64_t stride, int64_t bytes) {
    const auto* at = static_cast<const std::byte*>(matrix) + (first_row * stride + column) * bytes;
    return Ahead::Span{at, columns * bytes, stride * bytes, rows};
  };
  if (finish.residual) ahead.spans[1] = span(finish.residual, finish.residual_stride, sizeof(float));
  if (!store_) ahead.spans[2] = span(finish.y, finish.y_stride, finish.y_is_bf16 ? 2 : 4);
}

// A stretch at a time, or as many as a block of k has room for, or a part of one.
void Gemm::multiply(const Block& block, int64_t first, int64_t count, const std::byte* weights, std::byte* expanded,
                    int64_t used, float* sums, const Ahead& ahead, const std::byte* follows) const noexcept {
  const Rows& rows = block.rows;
  const int64_t stretches = rows.stretches ? static_cast<int64_t>(rows.stretches->size()) : 1;
  const int64_t* at = rows.stretches ? rows.stretches->data() : &Stretches::kStart;
  const int64_t length = block.width / stretches, together = std::max<int64_t>(block_k_ / length, 1);
  const auto a_bytes = static_cast<int64_t>(size_of(tile_.a));
  const auto k_bytes = tile_.columns * static_cast<int64_t>(size_of(expanded ? tile_.stored : tile_.b));
  const std::byte* start = rows.data + (first / rows.run * rows.run_stride + first % rows.run * rows.stride) * a_bytes;
  bool resume = block.k > 0;
  int64_t done = 0;
  for (int64_t stretch = 0; stretch < stretches; stretch += together)
    for (int64_t k = 0; k < length; k += block_k_) {
      const Stretches part{at + stretch, std::min(together, stretches - stretch), std::min(block_k_, length - k)};
      const int64_t taken = part.count * part.k;
      Ahead now{};
      for (int i = 0; i < 3; ++i) now.spans[i] = part_of(ahead.spans[i], done, taken, block.width);
      const std::byte* coming = done + taken < block.width ? weights + taken * k_bytes : follows;
      if (streams_ && coming) now.spans[0] = {coming, taken * k_bytes, 0, 1};
      if (expanded) tile_.expand(weights, expanded, taken * tile_.columns);
      tile_.run(count, start + k * a_bytes, rows.stride, part, expanded ? expanded : weights, sums, resume, used, now);
      done += taken;
      weights += taken * k_bytes;
      resume = true;
    }
}

void Gemm::finish_strip(const FinishArgs& finish, const Block& block, int64_t row, int64_t count, int64_t panel,
                        float* sums, std::byte* scratch) const noexcept {
  const Rows& rows = block.rows;
  const int64_t column = panel * tile_.columns, channel = block.group * shape_.n + column;
  const int64_t columns = std::min<int64_t>(tile_.columns, shape_.n - column);
  FinishArgs args = finish;
  args.first_row = block.first_row + row;
  args.row_scale = rows.scales ? rows.scales + row * rows.scale_stride : nullptr;
  args.row_scale_stride = rows.scale_stride;
  if (panels_.offsets()) args.offset = panels_.offsets() + channel;
  if (panels_.scales()) args.scale = panels_.scales() + channel;
  if (args.bias) args.bias += column;
  if (args.gate) args.gate += column;
  if (args.residual) args.residual += args.first_row * args.residual_stride + column;
  if (store_) {
    args.y = scratch + strip_at_;
    args.y_stride = tile_.columns;
  } else {
    args.y = static_cast<std::byte*>(args.y) + (args.first_row * args.y_stride + column) * (args.y_is_bf16 ? 2 : 4);
  }
  loops_.finish(args, sums, tile_.columns, count, columns);
  if (store_)
    store_->put({.data = scratch + strip_at_,
                 .stride = tile_.columns,
                 .first_row = args.first_row,
                 .rows = count,
                 .first_column = channel,
                 .columns = columns},
                scratch + store_at_, static_cast<std::byte*>(finish.y));
}

}  // namespace yanrt::cpu
