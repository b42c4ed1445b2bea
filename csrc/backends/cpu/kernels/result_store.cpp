#include "backends/cpu/kernels/result_store.h"

#include <algorithm>
#include <cstring>

namespace yanrt::cpu {
namespace {

std::optional<PwChain> chain_of(const Store& store, const PointwiseLoops& loops) {
  if (!store.chain) return std::nullopt;
  return std::optional<PwChain>(std::in_place, store.chain->attrs.strings("expr"), std::span(&store.result.dtype, 1),
                                store.dtype, loops);
}

// Walks the offsets of consecutive indices.
class Walk {
 public:
  Walk(const Store::Axes& axes, int64_t index) : axes_(axes) {
    for (int i = axes.shape.rank() - 1; i >= 0; --i) {
      at_[i] = index % axes.shape[i];
      index /= axes.shape[i];
      offset_ += at_[i] * axes.strides[i];
    }
  }
  int64_t offset() const { return offset_; }
  void advance() {
    for (int i = axes_.shape.rank() - 1; i >= 0; --i) {
      offset_ += axes_.strides[i];
      if (++at_[i] < axes_.shape[i]) return;
      offset_ -= axes_.shape[i] * axes_.strides[i];
      at_[i] = 0;
    }
  }

 private:
  const Store::Axes& axes_;
  int64_t at_[kMaxRank] = {}, offset_ = 0;
};

}  // namespace

ResultStore::ResultStore(const Store& store, const PointwiseLoops& loops)
    : result_(store.result.dtype), dtype_(store.dtype), chain_(chain_of(store, loops)), rows_(store.rows), run_(1) {
  const Store::Axes& columns = store.columns;
  if (columns.shape.rank() > 0 && columns.strides[-1] == 1) run_ = columns.shape[-1];
  Walk walk(columns, 0);
  for (int64_t column = 0; column < store.result.shape[-1]; ++column, walk.advance())
    if (column % run_ == 0) places_.push_back(walk.offset());
}

size_t ResultStore::scratch_bytes(int64_t elements) const {
  if (!chain_) return 0;
  return chain_->scratch_bytes() + static_cast<size_t>(elements) * size_of(dtype_);
}

void ResultStore::put(const Strip& strip, std::byte* scratch, std::byte* y) const noexcept {
  const std::byte* from = strip.data;
  if (chain_) {
    // Over what lies between the rows too: it is memory of the strip.
    const int64_t elements = (strip.rows - 1) * strip.stride + strip.columns;
    const auto from_size = static_cast<int64_t>(size_of(result_)), to_size = static_cast<int64_t>(size_of(dtype_));
    std::byte* to = scratch + chain_->scratch_bytes();
    std::byte* slots[PwChain::kMaxSlots];
    chain_->lay_out(slots, scratch);
    for (int64_t at = 0; at < elements; at += kPwBlock) {
      if (!chain_->operands().empty()) slots[0] = strip.data + at * from_size;
      chain_->run(slots, to + at * to_size, std::min(kPwBlock, elements - at));
    }
    from = to;
  }
  switch (size_of(dtype_)) {
    case 1: return scatter(strip, reinterpret_cast<const uint8_t*>(from), reinterpret_cast<uint8_t*>(y));
    case 2: return scatter(strip, reinterpret_cast<const uint16_t*>(from), reinterpret_cast<uint16_t*>(y));
    case 4: return scatter(strip, reinterpret_cast<const uint32_t*>(from), reinterpret_cast<uint32_t*>(y));
    default: return scatter(strip, reinterpret_cast<const uint64_t*>(from), reinterpret_cast<uint64_t*>(y));
  }
}

template <class T>
void ResultStore::scatter(const Strip& strip, const T* from, T* y) const noexcept {
  const int64_t first = strip.first_column, end = first + strip.columns;
  Walk row(rows_, strip.first_row);
  for (int64_t i = 0; i < strip.rows; ++i, from += strip.stride, row.advance()) {
    T* to = y + row.offset();
    if (run_ == 1) {
      const int64_t* places = places_.data() + first;
      for (int64_t c = 0; c < strip.columns; ++c) to[places[c]] = from[c];
      continue;
    }
    for (int64_t column = first, length = 0; column < end; column += length) {
      length = std::min(run_ - column % run_, end - column);
      std::memcpy(to + places_[static_cast<size_t>(column / run_)] + column % run_, from + column - first,
                  static_cast<size_t>(length) * sizeof(T));
    }
  }
}

}  // namespace yanrt::cpu
