#include "backends/cpu/kernels/gemm_rows.h"

#include <cstring>

#include "backends/cpu/kernels/rounding.h"

namespace yanrt::cpu {

ToOperand::ToOperand(const ConvertLoops& convert, const TileLoop& tile, DType from)
    : convert_(convert), split_(tile.split), from_size_(size_of(from)), to_size_(size_of(tile.a)) {
  if (split_)
    kind_ = Kind::split;
  else if (from == DType::bf16)
    kind_ = tile.a == Element::bf16 ? Kind::copy : Kind::widen;
  else
    kind_ = tile.a == Element::bf16 ? Kind::narrow : tile.rounds ? Kind::round : Kind::copy;
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
    case Kind::split: rows(from, count, 1, count, to, count, count); return;
  }
}

void ToOperand::rows(const std::byte* from, int64_t from_stride, int64_t count, int64_t width, std::byte* to,
                     int64_t to_stride, int64_t padded) const {
  if (split_)
    return split_(reinterpret_cast<const float*>(from), from_stride, count, width, reinterpret_cast<uint16_t*>(to),
                  to_stride);
  const auto from_bytes = static_cast<int64_t>(from_size_), to_bytes = static_cast<int64_t>(to_size_);
  for (int64_t row = 0; row < count; ++row) {
    std::byte* at = to + row * to_stride * to_bytes;
    (*this)(from + row * from_stride * from_bytes, at, width);
    if (padded != width) std::memset(at + width * to_bytes, 0, static_cast<size_t>((padded - width) * to_bytes));
  }
}

RowQuantiser::RowQuantiser(const QuantiseLoops& loops, const TileLoop& tile, DType from, float peak)
    : loops_(loops), from_(from), peak_(peak), widens_(tile.a == Element::i16), depth_(tile.depth) {}

// What the tile reads behind the codes is multiplied with zeros, but must lie in the row.
bool RowQuantiser::in_place(int64_t width) const {
  return from_ == DType::i8 && !widens_ && round_up(width, depth_) <= quantised_row_bytes(width);
}

float RowQuantiser::scale_of(const std::byte* row, int64_t width) {
  float scale;
  std::memcpy(&scale, row + quantised_scale_at(width), sizeof(scale));
  return scale;
}

float RowQuantiser::operator()(const std::byte* row, std::byte* to, int64_t width, uint8_t* codes) const {
  const auto n = static_cast<size_t>(width);
  auto* quantised = widens_ ? codes : reinterpret_cast<uint8_t*>(to);
  const auto* source = static_cast<const uint8_t*>(codes);
  float scale;
  if (from_ == DType::i8) {
    scale = scale_of(row, width);
    source = reinterpret_cast<const uint8_t*>(row);
    if (!widens_) std::memcpy(to, row, n);
  } else if (from_ == DType::bf16) {
    scale = loops_.bf16(reinterpret_cast<const uint16_t*>(row), quantised, n, peak_);
  } else {
    scale = loops_.f32(reinterpret_cast<const float*>(row), quantised, n, peak_);
  }
  if (widens_) loops_.widen(source, reinterpret_cast<int16_t*>(to), n);
  return scale;
}

}  // namespace yanrt::cpu
