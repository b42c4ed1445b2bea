// What a device must offer. runtime/ knows this interface and no backend.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/precision.h"
#include "runtime/plan.h"

namespace yanrt {

// Where the arenas of a plan lie for one runner. Host-visible on the CPU; device pointers on a GPU.
struct Bindings {
  std::byte* workspace = nullptr;
  std::byte* state = nullptr;
  std::byte* pending = nullptr;
  std::span<std::byte* const> inputs;
  std::span<std::byte* const> outputs;
};

class Profiler;

// A program with every pointer resolved. run() allocates nothing, looks nothing up and cannot fail.
class BoundProgram {
 public:
  virtual ~BoundProgram() = default;
  virtual void run() const noexcept = 0;
};

// The kernels of one plan: made once, shared by all runners.
class Executable {
 public:
  virtual ~Executable() = default;
  virtual std::unique_ptr<BoundProgram> bind(const Bindings& bindings) const = 0;
  // The kernel chosen for op i ("linear.bf16.avx512_bf16").
  virtual std::string_view variant(size_t op) const = 0;
};

// Zeroed, aligned memory of a device.
class Memory {
 public:
  virtual ~Memory() = default;
  virtual std::byte* data() const = 0;
  virtual size_t size() const = 0;
};

struct BackendInfo {
  std::string device;  // "cpu"
  std::string isa;
  int threads = 1;
};

class Backend {
 public:
  virtual ~Backend() = default;
  virtual BackendInfo info() const = 0;
  // Chooses and makes the kernels of `plan`, which must outlive the result, and packs their weights.
  // Throws Error(unsupported) naming the op that has no kernel here.
  virtual std::unique_ptr<Executable> compile(const Plan& plan, const Package& package, Precision precision) = 0;
  virtual std::unique_ptr<Memory> allocate(size_t bytes) = 0;
  // Programs that run from now on are recorded; null ends it. Not while one runs. Throws Error(unsupported) if this
  // backend cannot time single ops.
  virtual void set_profiler(Profiler* profiler) = 0;
  // Bytes of weights packed so far (counted, if the backend was made for counting only), and of the threads' scratch.
  virtual size_t weight_bytes() const = 0;
  virtual size_t scratch_bytes() const = 0;
};

}  // namespace yanrt
