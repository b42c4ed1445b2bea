// A kernel of the CUDA backend: everything that can be decided, checked, allocated or packed happens in its factory, at
// load; `launch` only puts work on a stream, as a rule once, while a graph is captured.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "backends/cuda/cublaslt.h"
#include "backends/cuda/device_info.h"
#include "backends/cuda/error.h"
#include "backends/cuda/weights.h"
#include "core/precision.h"
#include "core/tensor.h"
#include "program/program.h"
#include "runtime/op_operands.h"

namespace yanrt::cuda {

// What a factory is told of its op. An absent optional operand has `present[i] == false`.
struct KernelSpec {
  const OpNode& op;
  std::span<const TensorDesc> inputs;
  std::span<const bool> present;
  std::span<const size_t> alignments;  // bytes that divide the address of each input: 1 to 64
  std::span<const Constant> constants;
  std::span<const TensorDesc> outputs;
  Precision precision = Precision::fp32;
  bool writes_quantised = false;  // output 0, reads_quantised: input 0, as quantised_values.h lays them out
  bool reads_quantised = false;
  float written_peak = 0;  // with writes_quantised
  const DeviceInfo& device;
  const CublasLt* cublaslt = nullptr;  // not null: takes the products that it can
  Weights& weights;

  bool has(size_t input) const { return input < inputs.size() && present[input]; }
};

// Operand addresses of one launch. Inputs the kernel packed itself, and absent ones, are null.
struct KernelCall {
  std::byte* const* inputs;  // mutated operands (rings) are written through these
  std::byte* const* outputs;
  std::byte* scratch;  // `scratch_bytes()`, 256-byte aligned, contents undefined
  cudaStream_t stream;

  template <class T>
  T* in(size_t i) const {
    return reinterpret_cast<T*>(inputs[i]);
  }
  template <class T>
  T* out(size_t i) const {
    return reinterpret_cast<T*>(outputs[i]);
  }
};

class Kernel {
 public:
  virtual ~Kernel() = default;
  // Nothing that changes from call to call may be read here: it would be baked into the graph.
  virtual void launch(const KernelCall& call) const = 0;
  virtual size_t scratch_bytes() const { return 0; }
  // Name of the variant, for profiles: "linear.bf16.128x128".
  virtual std::string_view variant() const = 0;
};

using KernelFactory = std::unique_ptr<Kernel> (*)(const KernelSpec& spec);

// The factory for an op, or nullptr. Filled by kernels/registry.cpp, one line an op.
KernelFactory find_kernel(std::string_view op);

}  // namespace yanrt::cuda
