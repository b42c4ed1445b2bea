// Ports of a sequence side by side in pinned memory, and copies that do nothing for nothing.
#pragma once

#include <vector>

#include "backends/cuda/error.h"
#include "runtime/backend.h"

namespace yanrt::cuda {

inline constexpr int kStagingSlots = 2;  // the host fills one while the device reads another

inline size_t staged_bytes(const std::vector<SequenceSpec::Port>& ports) {
  size_t bytes = 0;
  for (const SequenceSpec::Port& port : ports) bytes += align_up(port.bytes);
  return bytes;
}

// Calls `visit(index, port, staged)` with the place of each port in staging memory.
template <class Visit>
void for_each_port(const std::vector<SequenceSpec::Port>& ports, std::byte* staging, const Visit& visit) {
  for (size_t i = 0; i < ports.size(); ++i) {
    visit(i, ports[i], staging);
    staging += align_up(ports[i].bytes);
  }
}

inline void copy_async(void* to, const void* from, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  if (bytes) check(cudaMemcpyAsync(to, from, bytes, kind, stream), "cudaMemcpyAsync");
}

// Where the stages begin after which none touches state.
inline size_t first_pure(const std::vector<SequenceSpec::Stage>& stages) {
  size_t first = stages.size();
  while (first > 0 && stages[first - 1].pure) --first;
  return first;
}

}  // namespace yanrt::cuda
