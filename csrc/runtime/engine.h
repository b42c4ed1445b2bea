// A package made ready for one device and precision: immutable, shared by any number of runners and sessions.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "program/program.h"
#include "runtime/backend.h"
#include "runtime/plan.h"

namespace yanrt {

struct MemoryUse {
  size_t weights = 0;    // packed, shared by all sessions of an engine
  size_t workspace = 0;  // shared too: lent to one step at a time; scratch of the threads included
  size_t state = 0;      // of each session: rings, windows, pending values
};

class Engine {
 public:
  // Compiles every program of the package. Throws Error(unsupported | memory).
  Engine(std::shared_ptr<const Package> package, std::unique_ptr<Backend> backend, Precision precision,
         KvType kv = KvType::compute);

  const Package& package() const { return *package_; }
  const StateLayout& states() const { return states_; }
  Precision precision() const { return precision_; }
  KvType kv() const { return kv_; }
  BackendInfo info() const { return backend_->info(); }
  MemoryUse memory() const;
  std::unique_ptr<Memory> allocate(size_t bytes) const { return backend_->allocate(bytes); }
  std::unique_ptr<Sequence> record(const SequenceSpec& spec) const { return backend_->record(spec); }
  // Records the programs that run from now on, in any session of this engine; null ends it. Waits for a run under way.
  void set_profiler(Profiler* profiler) const;

  struct Compiled {
    Plan plan;
    std::unique_ptr<Executable> executable;
  };
  // Throws Error(argument) naming the programs there are.
  const Compiled& program(const std::string& name) const;

  // The workspace belongs to whoever holds this lock; allocated when first lent.
  std::unique_lock<std::mutex> lend_workspace() const { return std::unique_lock(workspace_mutex_); }
  std::byte* workspace() const;

 private:
  std::shared_ptr<const Package> package_;
  std::unique_ptr<Backend> backend_;
  Precision precision_;
  KvType kv_;
  StateLayout states_;
  std::map<std::string, Compiled> programs_;
  size_t workspace_bytes_ = 0;
  mutable std::mutex workspace_mutex_;
  mutable std::once_flag workspace_once_;
  mutable std::unique_ptr<Memory> workspace_;
};

}  // namespace yanrt
