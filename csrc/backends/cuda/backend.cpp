#include "backends/cuda/backend.h"

#include <algorithm>
#include <bit>

#include "backends/cuda/executable.h"
#include "backends/cuda/graph_capture.h"
#include "backends/cuda/quantised_values.h"
#include "backends/cuda/split_sequence.h"
#include "backends/cuda/staging.h"
#include "core/error.h"
#include "program/stored_tensor.h"
#include "runtime/runner.h"

namespace yanrt::cuda {
namespace {

class DeviceMemory final : public Memory {
 public:
  DeviceMemory(const CudaBackend& backend, size_t bytes) : backend_(backend), buffer_(bytes) {}
  std::byte* data() const override { return buffer_.data(); }
  size_t size() const override { return buffer_.size(); }
  void read(size_t offset, std::span<std::byte> to) const override {
    copy(to.data(), data() + offset, to.size(), cudaMemcpyDeviceToHost);
  }
  void write(size_t offset, std::span<const std::byte> from) override {
    copy(data() + offset, from.data(), from.size(), cudaMemcpyHostToDevice);
  }
  void copy_from(const Memory& other) override { copy(data(), other.data(), size(), cudaMemcpyDeviceToDevice); }
  void clear() override {
    const DeviceScope scope(backend_.device().ordinal);
    if (size()) check(cudaMemsetAsync(data(), 0, size(), backend_.stream()), "cudaMemsetAsync");
    check(cudaStreamSynchronize(backend_.stream()), "cudaStreamSynchronize");
  }

 private:
  // In the order of the backend's stream: after all work it was given.
  void copy(void* to, const void* from, size_t bytes, cudaMemcpyKind kind) const {
    const DeviceScope scope(backend_.device().ordinal);
    if (bytes) check(cudaMemcpyAsync(to, from, bytes, kind, backend_.stream()), "cudaMemcpyAsync");
    check(cudaStreamSynchronize(backend_.stream()), "cudaStreamSynchronize");
  }

  const CudaBackend& backend_;
  DeviceBuffer buffer_;
};

// What a kernel reads of a tensor that it does not pack: a dense copy in the type the program sees.
const std::byte* constant_data(const Operand& operand, const Package& package, Weights& weights) {
  const StoredTensor& tensor = *operand.tensor;
  const size_t bytes = static_cast<size_t>(tensor.shape.numel()) * size_of(operand.desc.dtype);
  return weights.get(tensor.name, "dense", bytes, [&](std::byte* out) { read_tensor(package, tensor, out); });
}

struct Quantised {
  bool written, read;
  float peak;
};

std::unique_ptr<Kernel> make_kernel(const PlannedOp& op, const Package& package, Precision precision,
                                    Quantised quantised, Lane& lane) {
  const KernelFactory factory = find_kernel(op.node->def->name);
  if (!factory)
    throw Error(ErrorKind::unsupported, "op '" + std::string(op.node->def->name) + "' (" + op.node->source +
                                            ") has no CUDA kernel in this build");
  const OpOperands operands(op, package);
  std::vector<size_t> alignments;
  for (const Operand& in : op.inputs) alignments.push_back(size_t{1} << std::countr_zero(in.offset | kAlignment));
  return factory({.op = *op.node,
                  .inputs = operands.inputs,
                  .present = operands.present(),
                  .alignments = alignments,
                  .constants = operands.constants,
                  .outputs = operands.outputs,
                  .precision = precision,
                  .writes_quantised = quantised.written,
                  .reads_quantised = quantised.read,
                  .written_peak = quantised.peak,
                  .device = lane.device,
                  .cublaslt = lane.cublaslt.get(),
                  .weights = lane.weights});
}

// A device as the choice of kernels sees it: of its own architecture, or of an older one that it can run.
DeviceInfo chosen_device(int ordinal, const std::string& architecture) {
  DeviceInfo info = query_device(ordinal);
  if (architecture == "auto") return info;
  for (int sm : {80, 86, 89, 90, 100, 120})
    if (architecture == "sm_" + std::to_string(sm)) {
      if (sm > info.sm)
        throw Error(ErrorKind::unsupported, "device " + std::to_string(info.ordinal) + " (" + info.name + ") is sm_" +
                                                std::to_string(info.sm) + " and cannot run kernels of " + architecture);
      info.sm = sm;
      return info;
    }
  throw Error(ErrorKind::argument,
              "isa '" + architecture + "' is not one of auto, sm_80, sm_86, sm_89, sm_90, sm_100, sm_120");
}

}  // namespace

std::unique_ptr<Backend> make_backend(const Options& options) { return std::make_unique<CudaBackend>(options); }

CudaBackend::CudaBackend(const Options& options)
    : main_(chosen_device(options.device, options.architecture), options.cublaslt), graphs_(options.graphs) {
  if (options.decoder_device < 0) return;
  if (!graphs_)
    throw Error(ErrorKind::argument, "op_by_op compares one lane with its graph; leave out the decoder's device");
  decoder_ = std::make_unique<Lane>(chosen_device(options.decoder_device, options.architecture), options.cublaslt);
}

BackendInfo CudaBackend::info() const {
  return {
      .device = built_device(), .isa = "sm_" + std::to_string(device().sm), .threads = 1, .ordinal = device().ordinal};
}

std::unique_ptr<Executable> CudaBackend::compile(const Plan& plan, const Package& package, Precision precision) {
  if (precision == Precision::int8)
    throw Error(ErrorKind::unsupported, "precision 'int8' has no CUDA kernels; use fp8, which is as small");
  Lane& lane = decoder_ && !touches_state(plan) ? *decoder_ : main_;
  const DeviceScope scope(lane.device.ordinal);
  auto executable = std::make_unique<CudaExecutable>(*this, lane, plan);
  if (&lane == decoder_.get()) lane.workspace_bytes = std::max(lane.workspace_bytes, plan.workspace_bytes);
  const QuantisedValues quantised = find_quantised_values(plan, precision);
  for (size_t index = 0; index < plan.ops.size(); ++index) {
    const PlannedOp& op = plan.ops[index];
    auto kernel = make_kernel(op, package, precision,
                              {quantised.written[index], quantised.read[index], quantised.peak[index]}, lane);
    lane.scratch_bytes = std::max(lane.scratch_bytes, kernel->scratch_bytes());
    std::vector<const std::byte*> constants;
    for (size_t i = 0; i < op.inputs.size(); ++i) {
      const bool read_in_place = op.inputs[i].arena == Arena::constant && op.node->def->input(i).role != Role::weight;
      constants.push_back(read_in_place ? constant_data(op.inputs[i], package, lane.weights) : nullptr);
    }
    executable->add(std::move(kernel), std::move(constants));
  }
  return executable;
}

std::unique_ptr<Memory> CudaBackend::allocate(size_t bytes) {
  const DeviceScope scope(device().ordinal);
  return std::make_unique<DeviceMemory>(*this, bytes);
}

std::unique_ptr<Sequence> CudaBackend::record(const SequenceSpec& spec) {
  if (decoder_ && first_pure(spec.stages) < spec.stages.size()) return std::make_unique<SplitSequence>(*this, spec);
  const DeviceScope scope(device().ordinal);
  return std::make_unique<CapturedSequence>(*this, spec);
}

void CudaBackend::set_profiler(Profiler* profiler) {
  if (profiler)
    throw Error(
        ErrorKind::unsupported,
        "device '" + built_device() + "' times phases, not single ops; read info['timing'], or use a CUDA profiler");
}

size_t CudaBackend::weight_bytes() const { return main_.weights.bytes() + (decoder_ ? decoder_->weights.bytes() : 0); }

size_t CudaBackend::scratch_bytes() const { return main_.bytes() + (decoder_ ? decoder_->bytes() : 0); }

}  // namespace yanrt::cuda
