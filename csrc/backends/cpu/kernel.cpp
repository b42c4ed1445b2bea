#include "backends/cpu/kernel.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "core/error.h"

namespace yanrt::cpu {
namespace {

constexpr std::align_val_t kAlignment{64};

}  // namespace

Buffer::Buffer(size_t bytes)
    : data_(static_cast<std::byte*>(::operator new(std::max<size_t>(bytes, 1), kAlignment, std::nothrow))),
      size_(bytes) {
  if (!data_) throw Error(ErrorKind::memory, "cannot allocate " + std::to_string(bytes) + " bytes");
  std::memset(data_, 0, bytes);
}

Buffer::~Buffer() { ::operator delete(data_, kAlignment); }

Range share(int64_t n, int64_t grain, int worker, int workers) {
  const int64_t grains = (n + grain - 1) / grain;
  const auto bound = [&](int w) { return std::min(n, grains * w / workers * grain); };
  return {bound(worker), bound(worker + 1)};
}

}  // namespace yanrt::cpu
