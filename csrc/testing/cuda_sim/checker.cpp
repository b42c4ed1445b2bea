#include "testing/cuda_sim/checker.h"

#include <string>

#include "testing/cuda_sim/bank_conflicts.h"
#include "testing/cuda_sim/memory.h"
#include "testing/cuda_sim/order.h"
#include "testing/cuda_sim/random.h"
#include "testing/cuda_sim/report.h"
#include "testing/cuda_sim/runtime/device.h"
#include "testing/cuda_sim/shadow.h"
#include "testing/cuda_sim/shared_arrays.h"
#include "testing/cuda_sim/state.h"
#include "testing/cuda_sim/static_data.h"

namespace yanrt::cuda_sim {
namespace {

// An access under check, and the memory it goes to.
struct Accessed {
  Thread& thread;
  Access access;
  bool shared;
  size_t offset;
  size_t bytes;
  uint64_t pc;
  bool writes() const { return access != Access::read; }
  const char* verb() const { return access == Access::read ? "reads" : "writes"; }
};

std::string place(const Accessed& a) {
  const uint3 block = current_block_state().index;
  return format("block (%u,%u,%u) thread %u at %s", block.x, block.y, block.z, a.thread.linear,
                source_line(a.pc).c_str());
}

std::string who(const Stamp& stamp) {
  if (stamp.host) return "a copy or memset";
  const uint32_t first = first_block_of_operation();
  const std::string block = stamp.block >= first ? format("block %u ", stamp.block - first) : "an earlier kernel, ";
  return block + format("thread %u at %s", static_cast<unsigned>(stamp.thread), source_line(stamp.pc).c_str());
}

std::string pair_key(uint64_t a, uint64_t b) { return format("%lx/%lx", static_cast<long>(a), static_cast<long>(b)); }

void report_race(const char* kind, const Stamp& other, const Accessed& a, size_t offset) {
  if (other.block < first_block_of_operation() && !a.shared) kind = "race-between-operations";
  report(kind,
         format("%s memory +%zu: %s races with %s", a.shared ? "shared" : "device", offset, who(other).c_str(),
                place(a).c_str()),
         pair_key(other.pc, a.pc));
}

// Two accesses of one block are ordered by a __syncthreads, inside a warp also by a __syncwarp; two blocks of one
// launch never are; blocks of different operations are if the operations are.
bool ordered(const Stamp& earlier, const Accessed& a) {
  if (earlier.block != current_block())
    return a.shared || (earlier.block < first_block_of_operation() && finished_before(earlier.block));
  if (earlier.thread == a.thread.linear || earlier.barrier_epoch != a.thread.barrier_epoch) return true;
  return earlier.thread / 32 == a.thread.warp && earlier.warp_epoch != a.thread.warp_epoch;
}

Stamp stamp_of(const Thread& thread, uint64_t pc) {
  Stamp stamp;
  stamp.block = current_block();
  stamp.barrier_epoch = thread.barrier_epoch;
  stamp.warp_epoch = thread.warp_epoch;
  stamp.pc = pc;
  stamp.thread = thread.linear;
  return stamp;
}

// True if nothing of the access remains to be said.
bool check_bounds(const Accessed& a) {
  if (a.shared) {
    if (in_shared_array(a.offset, a.bytes)) return true;
    report("shared-bounds",
           format("%s %s %zu bytes at shared +%zu, outside every shared array", place(a).c_str(), a.verb(), a.bytes,
                  a.offset),
           pair_key(a.pc, 0));
    return false;
  }
  const int device = live_device(a.offset, a.bytes);
  if (device < 0) {
    report("device-bounds",
           format("%s %s %zu bytes outside every live allocation (%s)", place(a).c_str(), a.verb(), a.bytes,
                  describe_device_offset(a.offset).c_str()),
           pair_key(a.pc, 0));
    return false;
  }
  if (!may_access(device)) {
    report("wrong-device", format("%s %s memory of device %d without peer access", place(a).c_str(), a.verb(), device),
           pair_key(a.pc, 0));
    return false;
  }
  return true;
}

// Checks one cell and notes the access in it. False once something was reported.
bool check_cell(const Accessed& a, Cell& cell, size_t offset) {
  const bool fresh = a.shared ? cell.write.block != current_block() : cell.write.block == 0;
  if (cell.write.async && !(fresh && a.shared)) {
    report_race("async-copy-race", cell.write, a, offset);
    return false;
  }
  if (fresh && a.access != Access::write) {
    report("uninitialised",
           format("%s reads %zu bytes of %s memory never written", place(a).c_str(), a.bytes,
                  a.shared ? "shared" : "device"),
           pair_key(a.pc, 1));
    return false;
  }
  const bool atomic = a.access == Access::atomic;
  if (!fresh && !(atomic && cell.write.atomic) && !ordered(cell.write, a)) {
    report_race(a.writes() ? "race-write-write" : "race-read-after-write", cell.write, a, offset);
    return false;
  }
  Stamp me = stamp_of(a.thread, a.pc);
  me.atomic = atomic;
  if (a.writes()) {
    for (const Stamp& reader : cell.read)
      if (reader.block && !(atomic && reader.atomic) && !ordered(reader, a)) {
        report_race("race-write-after-read", reader, a, offset);
        return false;
      }
    cell.write = me;
    cell.read[0].block = cell.read[1].block = 0;
  } else {
    // The newest reader and one that is not ordered with it are enough to catch a later write.
    const bool replace = cell.read[0].block == 0 || ordered(cell.read[0], a);
    cell.read[replace ? 0 : 1] = me;
  }
  return true;
}

// Calls `visit(cell, offset)` for each cell of the range until it returns false.
template <class Visit>
void for_cells(bool shared, size_t offset, size_t bytes, Visit visit) {
  const size_t end = offset + bytes;
  for (size_t granule = offset / kGranule * kGranule; granule < end; granule += kGranule) {
    const bool whole = granule >= offset && granule + kGranule <= end;
    const CellSpan span = cells_of(shared, granule, whole);
    for (size_t i = 0; i < span.count; ++i) {
      const size_t at = granule + i;
      if (span.count > 1 && (at < offset || at >= end)) continue;
      if (!visit(span.cells[i], at)) return;
    }
  }
}

template <class Visit>
void for_cells_of(const void* pointer, size_t bytes, Visit visit) {
  const bool shared = in_shared(pointer);
  for_cells(shared, shared ? shared_offset(pointer) : device_offset(pointer), bytes, visit);
}

void check_copy_source(const void* from, size_t bytes, bool to_device, const char* what) {
  for_cells_of(from, bytes, [&](Cell& cell, size_t) {
    const bool written = cell.write.block != 0;
    if (!written && !to_device)
      report("copy-uninitialised", format("%s sends device bytes that nobody has written", what), what);
    if (written && !finished_before(cell.write.block))
      report("race-between-operations",
             format("%s reads what %s writes, and nothing orders them", what, who(cell.write).c_str()),
             pair_key(cell.write.pc, 2));
    Stamp me;
    me.block = current_block();
    me.host = 1;
    cell.read[cell.read[0].block && !finished_before(cell.read[0].block)] = me;
    return true;
  });
}

void check_copy_target(void* to, size_t bytes, const char* what) {
  Cell written;
  written.write.block = current_block();
  written.write.host = 1;
  for_cells_of(to, bytes, [&](Cell& cell, size_t) {
    for (const Stamp* other : {&cell.write, &cell.read[0], &cell.read[1]})
      if (other->block && other->block != current_block() && !finished_before(other->block))
        report("race-between-operations",
               format("%s writes what %s %s, and nothing orders them", what, who(*other).c_str(),
                      other == &cell.write ? "writes" : "reads"),
               pair_key(other->pc, 3));
    cell = written;
    return true;
  });
}

}  // namespace

void check_access(Thread& thread, const void* pointer, size_t bytes, Access access, uint64_t pc) {
  if (!options().checks) return;
  ++mutable_stats().accesses;
  const bool shared = in_shared(pointer);
  if (!shared && !in_device(pointer)) {
    if (is_static_data(reinterpret_cast<uintptr_t>(pointer))) return;
    const Accessed a{thread, access, false, 0, bytes, pc};
    report("host-pointer",
           format("%s %s %zu bytes at %p, which is neither device nor shared memory", place(a).c_str(), a.verb(), bytes,
                  pointer),
           pair_key(pc, 0));
    abandon_kernel();
  }
  const Accessed a{thread, access, shared, shared ? shared_offset(pointer) : device_offset(pointer), bytes, pc};
  if (!check_bounds(a)) return;
  for_cells(shared, a.offset, bytes, [&](Cell& cell, size_t offset) { return check_cell(a, cell, offset); });
  if (shared && options().banks) count_bank_access(thread, a.offset, bytes, pc);
}

void on_access(const void* pointer, size_t bytes, Access access, bool aligned, uint64_t pc) {
  Thread* thread = current_thread();
  if (!thread) return;
  const auto address = reinterpret_cast<uintptr_t>(pointer);
  if (thread->fiber.owns(address) || address - reinterpret_cast<uintptr_t>(regions().internal) < kInternalRegion)
    return;
  if (options().preempt > 0 && random_source().chance(options().preempt)) preempt_thread();
  if (aligned && address & (bytes - 1))
    report("misaligned", format("%zu-byte access at a misaligned address, at %s", bytes, source_line(pc).c_str()),
           pair_key(pc, 0));
  check_access(*thread, pointer, bytes, access, pc);
}

void mark_async(const void* pointer, size_t bytes) {
  if (!options().checks) return;
  for_cells_of(pointer, bytes, [](Cell& cell, size_t) {
    cell.write.async = 1;
    return true;
  });
}

void mark_written(const Thread& thread, const void* pointer, size_t bytes, uint64_t pc) {
  if (!options().checks) return;
  for_cells_of(pointer, bytes, [&](Cell& cell, size_t) {
    cell.write = stamp_of(thread, pc);
    return true;
  });
}

bool check_copy(void* to, const void* from, size_t bytes) {
  const bool to_device = in_device(to), from_device = from && in_device(from);
  const char* what = !from                      ? "memset"
                     : to_device && from_device ? "a device-to-device copy"
                     : to_device                ? "a host-to-device copy"
                                                : "a device-to-host copy";
  for (const void* side : {static_cast<const void*>(to), from})
    if (side && in_device(side) && live_device(device_offset(side), bytes) < 0) {
      report("copy-bounds", format("%s of %zu bytes reaches outside every live allocation (%s)", what, bytes,
                                   describe_device_offset(device_offset(side)).c_str()));
      return false;
    }
  next_block();
  if (!options().checks) return true;
  if (from_device) check_copy_source(from, bytes, to_device, what);
  if (to_device) check_copy_target(to, bytes, what);
  return true;
}

void mark_fresh(const void* pointer, size_t bytes) {
  for_cells_of(pointer, bytes, [](Cell& cell, size_t) {
    cell = {};
    return true;
  });
}

}  // namespace yanrt::cuda_sim
