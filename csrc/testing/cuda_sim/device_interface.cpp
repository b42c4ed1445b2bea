// What the headers in device/ call: the seam between kernels and the simulator.
#include <cstring>

#include "testing/cuda_sim/async_copy.h"
#include "testing/cuda_sim/checker.h"
#include "testing/cuda_sim/collective.h"
#include "testing/cuda_sim/memory.h"
#include "testing/cuda_sim/report.h"
#include "testing/cuda_sim/shared_arrays.h"
#include "testing/cuda_sim/tensor_core.h"
#include "testing/cuda_sim/thread.h"
// Last: it redefines CUDA's keywords.
#include "testing/cuda_sim/device/atomics.h"
#include "testing/cuda_sim/device/launch.h"
#include "testing/cuda_sim/device/ptx.h"
#include "testing/cuda_sim/device/sync.h"

namespace yanrt::cuda_sim {
namespace {

constexpr uint32_t kFullWarp = 0xffffffffu;

uint64_t address_of(void* return_address) { return reinterpret_cast<uint64_t>(return_address); }

}  // namespace

uint3 thread_index() noexcept { return current_thread()->index; }
uint3 block_index() noexcept { return current_block_state().index; }
dim3 block_size() noexcept { return current_block_state().size; }
dim3 grid_size() noexcept { return current_block_state().grid; }
unsigned lane_index() noexcept { return current_thread()->lane; }

void* shared_array(const void* site, size_t bytes) { return static_shared(site, bytes); }
unsigned char* dynamic_shared_bytes() { return reinterpret_cast<unsigned char*>(dynamic_shared()); }
void* allocate_arguments(size_t bytes) { return internal_allocate(bytes); }

void barrier(const char* file, int line) { wait_at_barrier({file, line}); }
void barrier_of_warp(uint32_t mask, const char* file, int line) { warp_sync(mask, {file, line}); }

void shuffle(uint32_t mask, const void* value, size_t bytes, int source, void* result, const char* file, int line) {
  ShuffleInput input{};
  std::memcpy(input.value, value, bytes);
  input.source = source;
  meet(mask, "shuffle", {file, line}, &input, sizeof input, result, bytes, compute_shuffle);
}

uint32_t ballot(uint32_t mask, int predicate, const char* file, int line) {
  uint32_t votes = 0;
  meet(mask, "ballot", {file, line}, &predicate, sizeof predicate, &votes, sizeof votes, compute_ballot);
  return votes;
}

void on_atomic(const void* pointer, size_t bytes, void* return_address) {
  on_access(pointer, bytes, Access::atomic, true, address_of(return_address));
}

void on_wide_access(const void* pointer, size_t bytes, bool write, void* return_address) {
  on_access(pointer, bytes, write ? Access::write : Access::read, true, address_of(return_address));
}

void cp_async(void* shared, const void* global, unsigned bytes, unsigned read_bytes, void* return_address) {
  issue_async_copy(shared, global, bytes, read_bytes, address_of(return_address));
}
void cp_async_commit() { commit_async_copies(); }
void cp_async_wait(unsigned pending) { wait_async_copies(pending); }

void ldmatrix(uint32_t* r, const void* row, bool transposed, void* return_address, const char* file, int line) {
  const LdmatrixInput input{static_cast<const std::byte*>(row), address_of(return_address)};
  meet(kFullWarp, transposed ? "ldmatrix.x4.trans" : "ldmatrix.x4", {file, line}, &input, sizeof input, r, 16,
       transposed ? compute_ldmatrix_trans : compute_ldmatrix);
}

void mma(MmaKind kind, float* d, const uint32_t* a, uint32_t b0, uint32_t b1, const char* file, int line) {
  const MmaInput input = {{a[0], a[1], a[2], a[3]}, {b0, b1}, {d[0], d[1], d[2], d[3]}};
  struct Kind {
    const char* name;
    CollectiveFunction compute;
  };
  constexpr Kind kinds[] = {{"mma.m16n8k16.bf16", compute_mma_bf16},
                            {"mma.m16n8k16.f16", compute_mma_f16},
                            {"mma.m16n8k32.e4m3", compute_mma_e4m3}};
  const Kind& chosen = kinds[static_cast<int>(kind)];
  meet(kFullWarp, chosen.name, {file, line}, &input, sizeof input, d, 16, chosen.compute);
}

}  // namespace yanrt::cuda_sim
