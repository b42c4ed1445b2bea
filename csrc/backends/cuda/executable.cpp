#include "backends/cuda/executable.h"

#include "backends/cuda/backend.h"

namespace yanrt::cuda {

void CudaProgram::launch(const Call& call, cudaStream_t stream) const {
  call.kernel->launch({.inputs = pointers_.data() + call.inputs,
                       .outputs = pointers_.data() + call.outputs,
                       .scratch = scratch_,
                       .stream = stream});
}

void CudaProgram::enqueue(cudaStream_t stream) const {
  for (const Call& call : calls_) launch(call, stream);
}

void CudaProgram::run() const {
  const DeviceScope scope(lane_.device.ordinal);
  enqueue(lane_.stream.get());
  check(cudaStreamSynchronize(lane_.stream.get()), "cudaStreamSynchronize");
}

void CudaExecutable::add(std::unique_ptr<Kernel> kernel, std::vector<const std::byte*> constants) {
  kernels_.push_back(std::move(kernel));
  constants_.push_back(std::move(constants));
}

std::unique_ptr<CudaProgram> CudaExecutable::bind_program(const Bindings& given) const {
  Bindings bindings = given;
  if (&lane_ == backend_.decoder()) bindings.workspace = lane_.workspace();
  std::unique_ptr<CudaProgram> program(new CudaProgram(lane_));
  for (size_t i = 0; i < plan_.ops.size(); ++i) {
    const PlannedOp& op = plan_.ops[i];
    std::vector<std::byte*>& pointers = program->pointers_;
    program->calls_.push_back({kernels_[i].get(), pointers.size(), pointers.size() + op.inputs.size()});
    for (size_t j = 0; j < op.inputs.size(); ++j)
      pointers.push_back(resolve(op.inputs[j], plan_, bindings, constants_[i][j]));
    for (const Operand& out : op.outputs) pointers.push_back(resolve(out, plan_, bindings, nullptr));
  }
  return program;
}

}  // namespace yanrt::cuda
