#include "testing/cuda_sim/runtime/work.h"

#include <cstring>

#include "testing/cuda_sim/checker.h"
#include "testing/cuda_sim/memory.h"
#include "testing/cuda_sim/report.h"
#include "testing/cuda_sim/runtime/device.h"
#include "testing/cuda_sim/runtime/stream.h"
#include "testing/cuda_sim/state.h"

namespace yanrt::cuda_sim {
namespace {

constexpr int kStale = 0xa5;  // fills a pinned target until its copy has run
uint64_t pinned_writes = 0;

// FNV-1a.
uint64_t hash_rows(const Work& work) {
  uint64_t hash = 0xcbf29ce484222325ull;
  for (size_t row = 0; row < work.rows; ++row)
    for (size_t i = 0; i < work.width; ++i)
      hash = (hash ^ static_cast<uint64_t>(work.from.data[row * work.from.pitch + i])) * 0x100000001b3ull;
  return hash;
}

bool from_pinned(const Work& work) { return work.kind == Work::Kind::copy && is_pinned(work.from.data); }
bool to_pinned(const Work& work) { return work.kind == Work::Kind::copy && is_pinned(work.to.data); }

// Some task that has not run yet reads the rows that `work` will write.
bool still_read(const Work& work) {
  const size_t bytes = (work.rows - 1) * work.to.pitch + work.width;
  for (const cudaStream_t stream : streams())
    for (const Task& task : stream->queue)
      if (task.reads_host && task.reads_host(work.to.data, bytes)) return true;
  return false;
}

void copy_rows(const Work& work) {
  const DeviceAccess access;
  ++mutable_stats().copies;
  for (size_t row = 0; row < work.rows; ++row) {
    std::byte* to = work.to.data + row * work.to.pitch;
    const std::byte* from = work.from.data + row * work.from.pitch;
    if (check_copy(to, from, work.width)) std::memmove(to, from, work.width);
  }
  if (to_pinned(work)) ++pinned_writes;
}

void fill_rows(const Work& work) {
  const DeviceAccess access;
  for (size_t row = 0; row < work.rows; ++row) {
    std::byte* to = work.to.data + row * work.to.pitch;
    if (check_copy(to, nullptr, work.width)) std::memset(to, work.value, work.width);
  }
}

}  // namespace

std::optional<PinnedSource> hand_over(const Work& work) {
  if (to_pinned(work) && !still_read(work))
    for (size_t row = 0; row < work.rows; ++row) std::memset(work.to.data + row * work.to.pitch, kStale, work.width);
  if (!from_pinned(work)) return std::nullopt;
  return PinnedSource{hash_rows(work), pinned_writes};
}

cudaError_t carry_out(const Work& work, const std::optional<PinnedSource>& source) {
  set_executing_device(work.device);
  switch (work.kind) {
    case Work::Kind::kernel:
      return run_kernel(*work.call, work.grid, work.block, work.shared_bytes) ? cudaSuccess : cudaErrorLaunchFailure;
    case Work::Kind::copy:
      if (source && source->writes == pinned_writes && source->hash != hash_rows(work))
        report("staging-overwritten",
               format("the host changed %zu bytes of pinned memory before their copy to the device had run",
                      work.width * work.rows));
      copy_rows(work);
      return cudaSuccess;
    case Work::Kind::fill: fill_rows(work); return cudaSuccess;
    case Work::Kind::host:
      work.function(work.argument);
      ++pinned_writes;
      return cudaSuccess;
  }
  return cudaSuccess;
}

bool reads_host_range(const Work& work, const void* data, size_t bytes) {
  if (!from_pinned(work)) return false;
  const std::byte* first = work.from.data;
  const std::byte* last = first + (work.rows - 1) * work.from.pitch + work.width;
  return first < static_cast<const std::byte*>(data) + bytes && static_cast<const std::byte*>(data) < last;
}

}  // namespace yanrt::cuda_sim
