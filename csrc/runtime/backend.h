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

// Where an operand of a plan lies, `constant` being where its tensor does; null for an absent one and for constants
// that the kernel has packed.
std::byte* resolve(const Operand& operand, const Plan& plan, const Bindings& bindings, const std::byte* constant);

class Profiler;

// A program with every pointer resolved. run() allocates nothing and looks nothing up; it fails only if a device does.
class BoundProgram {
 public:
  virtual ~BoundProgram() = default;
  virtual void run() const = 0;
};

// The kernels of one plan: made once, shared by all runners.
class Executable {
 public:
  virtual ~Executable() = default;
  virtual std::unique_ptr<BoundProgram> bind(const Bindings& bindings) const = 0;
  // The kernel chosen for op i ("linear.bf16.avx512_bf16").
  virtual std::string_view variant(size_t op) const = 0;
};

// Zeroed, aligned memory of a device. Its copies are complete when they return, and follow all work given to the
// backend before. They throw Error(device) if that work failed.
class Memory {
 public:
  virtual ~Memory() = default;
  // An address of the device: kernels read it, the host only through the members below.
  virtual std::byte* data() const = 0;
  virtual size_t size() const = 0;
  virtual void read(size_t offset, std::span<std::byte> to) const = 0;
  virtual void write(size_t offset, std::span<const std::byte> from) = 0;
  // Takes the bytes of `other`, of the same backend and size.
  virtual void copy_from(const Memory& other) = 0;
  virtual void clear() = 0;  // to zero
};

// Programs that run as one, in order, between arrays of the host: one call of a session. All pointers are to memory of
// the device.
struct SequenceSpec {
  struct Stage {
    const Executable* executable = nullptr;
    Bindings bindings;
    bool pure = false;  // neither reads nor writes state: may run beside the publication
  };
  struct Copy {
    std::byte* to = nullptr;
    const std::byte* from = nullptr;
    size_t bytes = 0;
  };
  struct Port {
    std::byte* at = nullptr;
    size_t bytes = 0;
  };
  std::vector<Stage> stages;
  std::vector<Copy> publish;  // after the last stage: pending values become state
  std::vector<Port> inputs, outputs;
};

// A recorded sequence: on the CPU its programs one after the other, on a GPU one captured graph. Allocates nothing.
class Sequence {
 public:
  virtual ~Sequence() = default;
  // Copies one array an input, and sets the programs off. Every start is followed by one finish.
  virtual void start(std::span<const std::byte* const> inputs) = 0;
  // How many calls may be started before the first is finished.
  virtual int depth() const { return 1; }
  // Waits, and copies one array an output; none, or a null one, is not wanted. `milliseconds` receives the time of each
  // stage, of as many as it has room for. Throws Error(device) if the device failed; the state is then unchanged.
  virtual void finish(std::span<std::byte* const> outputs, std::span<double> milliseconds) = 0;
};

struct BackendInfo {
  std::string device;  // "cpu"
  std::string isa;
  int threads = 1;
  int ordinal = 0;  // which of several devices of this kind
};

class Backend {
 public:
  virtual ~Backend() = default;
  virtual BackendInfo info() const = 0;
  // Does the op's kernel, which may be given a Store, do that work?
  virtual bool takes_store(const PlannedOp&) const { return false; }
  // Chooses and makes the kernels of `plan`, which must outlive the result, and packs their weights.
  // Throws Error(unsupported) naming the op that has no kernel here.
  virtual std::unique_ptr<Executable> compile(const Plan& plan, const Package& package, Precision precision) = 0;
  virtual std::unique_ptr<Memory> allocate(size_t bytes) = 0;
  virtual std::unique_ptr<Sequence> record(const SequenceSpec& spec) = 0;
  // Programs that run from now on are recorded; null ends it. Not while one runs. Throws Error(unsupported) if this
  // backend cannot time single ops.
  virtual void set_profiler(Profiler* profiler) = 0;
  // Bytes of weights packed so far (counted, if the backend was made for counting only), and of the threads' scratch.
  virtual size_t weight_bytes() const = 0;
  virtual size_t scratch_bytes() const = 0;
};

}  // namespace yanrt
