#include "runtime/engine.h"

#include <algorithm>

#include "core/error.h"
#include "runtime/fuse_stores.h"
#include "runtime/memory_planner.h"
#include "runtime/plan_builder.h"
#include "runtime/quoted_keys.h"

namespace yanrt {

Engine::Engine(std::shared_ptr<const Package> package, std::unique_ptr<Backend> backend, Precision precision, KvType kv)
    : package_(std::move(package)),
      backend_(std::move(backend)),
      precision_(precision),
      kv_(kv),
      states_(lay_out_states(*package_, precision, kv)) {
  for (const auto& [name, program] : package_->programs) {
    Compiled& compiled = programs_[name];
    compiled.plan = build_plan(*package_, program, states_, precision);
    fuse_stores(compiled.plan, [this](const PlannedOp& op) { return backend_->takes_store(op); });
    plan_memory(compiled.plan);
    check_plan(compiled.plan);
    workspace_bytes_ = std::max(workspace_bytes_, compiled.plan.workspace_bytes);
    compiled.executable = backend_->compile(compiled.plan, *package_, precision);
  }
}

MemoryUse Engine::memory() const {
  return {.weights = backend_->weight_bytes(),
          .workspace = workspace_bytes_ + backend_->scratch_bytes(),
          .state = states_.state_bytes + states_.pending_bytes};
}

const Engine::Compiled& Engine::program(const std::string& name) const {
  const auto it = programs_.find(name);
  if (it != programs_.end()) return it->second;
  throw Error(ErrorKind::argument, "package " + quote(package_->name) + " has no program " + quote(name) + "; it has " +
                                       quoted_keys(programs_));
}

void Engine::set_profiler(Profiler* profiler) const {
  const auto lock = lend_workspace();
  backend_->set_profiler(profiler);
}

std::byte* Engine::workspace() const {
  std::call_once(workspace_once_, [this] { workspace_ = backend_->allocate(workspace_bytes_); });
  return workspace_->data();
}

}  // namespace yanrt
