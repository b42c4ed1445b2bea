#include "testing/cuda_sim/async_copy.h"

#include <cstring>

#include "testing/cuda_sim/checker.h"
#include "testing/cuda_sim/memory.h"
#include "testing/cuda_sim/random.h"
#include "testing/cuda_sim/report.h"
#include "testing/cuda_sim/sim.h"

namespace yanrt::cuda_sim {

void issue_async_copy(void* to, const void* from, unsigned bytes, unsigned read_bytes, uint64_t pc) {
  Thread& thread = *current_thread();
  if (options().preempt > 0 && random_source().chance(options().preempt)) preempt_thread();
  if (read_bytes > bytes) {
    report("cp-async-size",
           format("cp.async reads %u of at most %u bytes, at %s", read_bytes, bytes, source_line(pc).c_str()));
    read_bytes = bytes;
  }
  if ((reinterpret_cast<uintptr_t>(to) | reinterpret_cast<uintptr_t>(from)) & (bytes - 1))
    report("misaligned",
           format("cp.async of %u bytes with a misaligned address, at %s", bytes, source_line(pc).c_str()),
           format("%lx", static_cast<long>(pc)));
  if (!in_shared(to)) {
    report("cp-async-address",
           format("the target of cp.async is not in shared memory, at %s", source_line(pc).c_str()));
    abandon_kernel();
  }
  if (read_bytes) check_access(thread, from, read_bytes, Access::read, pc);
  check_access(thread, to, bytes, Access::write, pc);
  mark_async(to, bytes);
  std::memset(to, 0xff, bytes);
  thread.open_copies.push_back(
      {static_cast<std::byte*>(to), static_cast<const std::byte*>(from), bytes, read_bytes, pc});
}

void commit_async_copies() {
  Thread& thread = *current_thread();
  thread.copy_groups.push_back(std::move(thread.open_copies));
  thread.open_copies.clear();
}

void wait_async_copies(unsigned pending) {
  Thread& thread = *current_thread();
  while (thread.copy_groups.size() > pending) {
    for (const AsyncCopy& copy : thread.copy_groups.front()) {
      if (copy.read_bytes) std::memcpy(copy.to, copy.from, copy.read_bytes);
      std::memset(copy.to + copy.read_bytes, 0, copy.bytes - copy.read_bytes);
      mark_written(thread, copy.to, copy.bytes, copy.pc);
    }
    thread.copy_groups.pop_front();
  }
}

}  // namespace yanrt::cuda_sim
