// A profile of programs: when each worker began and ended its share of each op, run by run. All memory is taken before
// the first run, so that recording costs two readings of the clock an op and a worker; without a profiler it costs
// nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "runtime/plan.h"

namespace yanrt {

class Profiler {
 public:
  // Nanoseconds of the steady clock; both 0 if the worker had no share of the op.
  struct Span {
    int64_t begin = 0, end = 0;
  };
  // The runs of one program. Run r of worker w spent `spans[(r * workers + w) * ops + i]` on op i of its plan.
  struct Record {
    size_t ops = 0, capacity = 0;
    size_t runs = 0;     // recorded
    size_t dropped = 0;  // came when the record was full
    std::vector<Span> spans;
  };

  Profiler(int workers, size_t runs) : workers_(static_cast<size_t>(workers)), runs_(runs) {}

  // Makes room for the runs of a plan; others are not recorded.
  void watch(const Plan& plan);

  // The spans of the run of `plan` that now begins, worker by worker; null if it is not to be recorded.
  Span* next_run(const Plan& plan) noexcept;

  int workers() const { return static_cast<int>(workers_); }
  // Null for a plan that is not watched.
  const Record* record(const Plan& plan) const;

  static int64_t now() noexcept;

 private:
  size_t workers_, runs_;
  std::map<const Plan*, Record> records_;
};

}  // namespace yanrt
