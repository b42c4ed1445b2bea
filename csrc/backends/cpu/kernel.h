// A kernel of the CPU backend: everything that can be decided, checked, allocated or packed happens in its factory, at
// load; `run` only computes.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "backends/cpu/isa/isa.h"
#include "core/precision.h"
#include "core/tensor.h"
#include "program/program.h"
#include "runtime/op_operands.h"

namespace yanrt::cpu {

// 64-byte aligned, zeroed memory.
class Buffer {
 public:
  explicit Buffer(size_t bytes);
  ~Buffer();
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  std::byte* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  std::byte* data_;
  size_t size_;
};

// Packed weights, shared by all kernels (and programs) that want the same tensor in the same form. The size is given
// before the contents, so that the memory of a session can be told without packing anything.
class WeightCache {
 public:
  virtual ~WeightCache() = default;
  // `form` names the packing ("panel.bf16.avx512"). If it is not there yet, a zeroed buffer of `bytes` is made and
  // `fill` called on it. The pointer is 64-byte aligned and valid as long as the cache; null when memory is only being
  // counted.
  virtual const std::byte* get(const std::string& tensor, const std::string& form, size_t bytes,
                               const std::function<void(std::byte*)>& fill) = 0;
};

// What a factory is told of its op. An absent optional operand has `present[i] == false`.
struct KernelSpec {
  const OpNode& op;
  std::span<const TensorDesc> inputs;
  std::span<const bool> present;
  std::span<const Constant> constants;  // one an input
  std::span<const TensorDesc> outputs;
  const Store* store = nullptr;           // of the only output; null: it is written as it is
  DType compute = DType::f32;             // compute_type(precision): of activations and rings
  Precision precision = Precision::fp32;  // chosen at load; what a GEMM multiplies in
  Isa isa = Isa::generic;
  int max_workers = 1;
  WeightCache& weights;
};

// Operand pointers of one call. Inputs the kernel packed itself, and absent ones, may be null.
struct KernelCall {
  std::byte* const* inputs;  // mutated operands (rings) are written through these
  std::byte* const* outputs;
  std::byte* scratch;  // `scratch_bytes()` of this worker, 64-byte aligned, contents undefined
  int worker;          // 0 .. workers - 1; all of them call run() of the same kernel at the same time
  int workers;

  template <class T>
  T* in(int i) const {
    return reinterpret_cast<T*>(inputs[i]);
  }
  template <class T>
  T* out(int i) const {
    return reinterpret_cast<T*>(outputs[i]);
  }
};

class Kernel {
 public:
  virtual ~Kernel() = default;
  // Computes this worker's share. How the work is split must not change any value: no sum's order may depend on
  // `workers`.
  virtual void run(const KernelCall& call) const noexcept = 0;
  virtual size_t scratch_bytes() const { return 0; }
  // Name of the variant, for profiles: "linear.bf16.avx512".
  virtual std::string_view variant() const = 0;
  // Workers beyond this many have nothing to do; the executor may run the kernel without a barrier if it is 1.
  virtual int useful_workers() const { return 1 << 30; }
};

using KernelFactory = std::unique_ptr<Kernel> (*)(const KernelSpec& spec);

// The factory for an op, or nullptr. Filled by backends/cpu/kernels/registry.cpp, one line an op.
KernelFactory find_kernel(std::string_view op);

// The half-open share of `n` items that `worker` of `workers` does, in multiples of `grain`.
struct Range {
  int64_t begin, end;
};
Range share(int64_t n, int64_t grain, int worker, int workers);

}  // namespace yanrt::cpu
