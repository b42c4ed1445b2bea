#include "testing/cuda_sim/shared_arrays.h"

#include <cstring>
#include <vector>

#include "testing/cuda_sim/memory.h"
#include "testing/cuda_sim/report.h"

namespace yanrt::cuda_sim {
namespace {

constexpr size_t kRedZone = 128, kAlign = 128, kStaticLimit = 48 << 10;

struct Array {
  const void* site;
  size_t offset, bytes;
};
std::vector<Array> arrays;
size_t dynamic_size = 0;

}  // namespace

// 0xff is NaN as f32, bf16, f16 and E4M3: what is used before it is written shows in the numbers too.
void reset_shared_arrays(size_t dynamic_bytes) {
  arrays.clear();
  dynamic_size = dynamic_bytes;
  std::memset(regions().shared, 0xff, dynamic_bytes);
}

std::byte* dynamic_shared() { return regions().shared; }

void* static_shared(const void* site, size_t bytes) {
  size_t end = dynamic_size, total = bytes;
  for (const Array& array : arrays) {
    if (array.site == site) return regions().shared + array.offset;
    end = array.offset + array.bytes;
    total += array.bytes;
  }
  if (total > kStaticLimit)
    report("shared-limit", format("%zu bytes of static shared memory; the limit is %zu", total, kStaticLimit));
  const size_t offset = (end + kRedZone + kAlign - 1) / kAlign * kAlign;
  arrays.push_back({site, offset, bytes});
  std::memset(regions().shared + offset, 0xff, bytes);
  return regions().shared + offset;
}

bool in_shared_array(size_t offset, size_t bytes) {
  if (offset + bytes <= dynamic_size) return true;
  for (const Array& array : arrays)
    if (offset >= array.offset && offset + bytes <= array.offset + array.bytes) return true;
  return false;
}

}  // namespace yanrt::cuda_sim
