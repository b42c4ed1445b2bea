// The CPU as a backend: kernels chosen by instruction set, walked by a persistent pool of threads.
#pragma once

#include <map>
#include <utility>

#include "backends/cpu/kernel.h"
#include "backends/cpu/thread_pool.h"
#include "runtime/backend.h"

namespace yanrt::cpu {

struct Options {
  int threads = 0;           // 0: one a processor this process may use
  std::string isa = "auto";  // or a name of isa.h
  bool op_by_op = false;     // for comparison alone: see op_by_op.h
  bool count_only = false;   // kernels are made and memory is counted, but nothing is packed: nothing can run
};

class PackedWeights final : public WeightCache {
 public:
  explicit PackedWeights(bool count_only) : count_only_(count_only) {}
  const std::byte* get(const std::string& tensor, const std::string& form, size_t bytes,
                       const std::function<void(std::byte*)>& fill) override;
  size_t bytes() const { return bytes_; }

 private:
  static constexpr size_t kArena = size_t{32} << 20;  // most weights are smaller than a huge page

  std::byte* take(size_t bytes);

  bool count_only_;
  size_t bytes_ = 0;
  std::vector<std::unique_ptr<Buffer>> arenas_;
  size_t used_ = 0;  // of the last one
  std::map<std::pair<std::string, std::string>, std::byte*> packed_;
};

class CpuBackend final : public Backend {
 public:
  // Throws Error(unsupported | argument) if the options ask for what this machine cannot do.
  explicit CpuBackend(const Options& options);

  BackendInfo info() const override;
  bool takes_store(const PlannedOp& op) const override;
  std::unique_ptr<Executable> compile(const Plan& plan, const Package& package, Precision precision) override;
  std::unique_ptr<Memory> allocate(size_t bytes) override;
  std::unique_ptr<Sequence> record(const SequenceSpec& spec) override;
  void set_profiler(Profiler* profiler) override { profiler_ = profiler; }
  size_t weight_bytes() const override { return weights_.bytes(); }
  size_t scratch_bytes() const override { return scratch_per_worker_ * static_cast<size_t>(pool_.workers()); }

  ThreadPool& pool() { return pool_; }
  Profiler* profiler() const { return profiler_; }
  bool op_by_op() const { return op_by_op_; }
  // Scratch of all workers, allocated at the first call; large enough for every kernel compiled so far.
  std::byte* scratch();
  size_t scratch_per_worker() const { return scratch_per_worker_; }

 private:
  bool count_only_;
  bool op_by_op_;
  Isa isa_;
  ThreadPool pool_;
  PackedWeights weights_;
  size_t scratch_per_worker_ = 0;
  std::unique_ptr<Buffer> scratch_;
  Profiler* profiler_ = nullptr;
};

}  // namespace yanrt::cpu
