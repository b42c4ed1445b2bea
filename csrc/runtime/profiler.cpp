#include "runtime/profiler.h"

#include <chrono>

namespace yanrt {

void Profiler::watch(const Plan& plan) {
  Record& record = records_[&plan];
  record.ops = plan.ops.size();
  record.capacity = runs_;
  record.spans.assign(runs_ * workers_ * record.ops, {});
}

Profiler::Span* Profiler::next_run(const Plan& plan) noexcept {
  const auto it = records_.find(&plan);
  if (it == records_.end()) return nullptr;
  Record& record = it->second;
  if (record.runs == record.capacity) {
    ++record.dropped;
    return nullptr;
  }
  return record.spans.data() + record.runs++ * workers_ * record.ops;
}

const Profiler::Record* Profiler::record(const Plan& plan) const {
  const auto it = records_.find(&plan);
  return it == records_.end() ? nullptr : &it->second;
}

int64_t Profiler::now() noexcept {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace yanrt
