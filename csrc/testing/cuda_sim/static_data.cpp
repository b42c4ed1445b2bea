#include "testing/cuda_sim/static_data.h"

#include <link.h>

#include <utility>
#include <vector>

namespace yanrt::cuda_sim {
namespace {

using Range = std::pair<uintptr_t, uintptr_t>;
std::vector<Range> segments;
Range recent{1, 0};

int add_segments(dl_phdr_info* info, size_t, void*) {
  for (int i = 0; i < info->dlpi_phnum; ++i)
    if (const auto& header = info->dlpi_phdr[i]; header.p_type == PT_LOAD) {
      const uintptr_t first = info->dlpi_addr + header.p_vaddr;
      segments.emplace_back(first, first + header.p_memsz);
    }
  return 0;
}

bool find(uintptr_t address) {
  for (const Range& range : segments)
    if (address >= range.first && address < range.second) {
      recent = range;
      return true;
    }
  return false;
}

}  // namespace

bool is_static_data(uintptr_t address) {
  if ((address >= recent.first && address < recent.second) || find(address)) return true;
  segments.clear();  // a library may have been loaded since
  dl_iterate_phdr(add_segments, nullptr);
  return find(address);
}

}  // namespace yanrt::cuda_sim
