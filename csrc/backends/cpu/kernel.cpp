#include "backends/cpu/kernel.h"

#include <algorithm>

#include "backends/cpu/kernels/rounding.h"
#include "backends/cpu/pages.h"
#include "core/error.h"

namespace yanrt::cpu {

Buffer::Buffer(size_t bytes) : data_(take_memory(bytes)), size_(bytes) {
  if (!data_) throw Error(ErrorKind::memory, "cannot allocate " + std::to_string(bytes) + " bytes");
}

Buffer::~Buffer() { give_back(data_, size_); }

Range share(int64_t n, int64_t grain, int worker, int workers) {
  const int64_t grains = ceil_div(n, grain);
  const auto bound = [&](int w) { return std::min(n, grains * w / workers * grain); };
  return {bound(worker), bound(worker + 1)};
}

}  // namespace yanrt::cpu
