#include "backends/cuda/graph_capture.h"

#include <algorithm>
#include <cstring>

#include "backends/cuda/backend.h"
#include "backends/cuda/staging.h"
#include "core/error.h"

namespace yanrt::cuda {
namespace {

void mark(const Event& event, cudaStream_t stream, bool captured) {
  if (captured)
    check(cudaEventRecordWithFlags(event.get(), stream, cudaEventRecordExternal), "cudaEventRecordWithFlags");
  else
    check(cudaEventRecord(event.get(), stream), "cudaEventRecord");
}

}  // namespace

CapturedSequence::CapturedSequence(CudaBackend& backend, const SequenceSpec& spec) : backend_(backend), spec_(spec) {
  for (const SequenceSpec::Stage& stage : spec.stages)
    programs_.push_back(static_cast<const CudaExecutable*>(stage.executable)->bind_program(stage.bindings));
  first_pure_ = first_pure(spec.stages);
  second_ = make_stream();
  forked_ = make_event(false);
  joined_ = make_event(false);
  for (Slot& slot : slots_) {
    slot.inputs = PinnedBuffer(staged_bytes(spec.inputs));
    slot.outputs = PinnedBuffer(staged_bytes(spec.outputs));
    for (size_t i = 0; i <= programs_.size(); ++i) slot.marks.push_back(make_event(true));
    slot.done = make_event(false);
    if (!backend.graphs()) continue;
    const Graph graph = capture([&](cudaStream_t stream) { record(slot, stream); });
    slot.graph = instantiate(graph);
    check(cudaGraphUpload(slot.graph.get(), backend.stream()), "cudaGraphUpload");
  }
}

CapturedSequence::~CapturedSequence() { cudaStreamSynchronize(backend_.stream()); }

void CapturedSequence::record(const Slot& slot, cudaStream_t stream) const {
  const cudaStream_t second = second_.get();
  record_inputs(slot, stream);
  mark(slot.marks[0], stream, backend_.graphs());
  record_stages(slot, 0, first_pure_, stream);
  check(cudaEventRecord(forked_.get(), stream), "cudaEventRecord");
  check(cudaStreamWaitEvent(second, forked_.get(), 0), "cudaStreamWaitEvent");
  record_stages(slot, first_pure_, programs_.size(), second);
  record_outputs(slot, second);
  check(cudaEventRecord(joined_.get(), second), "cudaEventRecord");
  record_publication(stream);
  check(cudaStreamWaitEvent(stream, joined_.get(), 0), "cudaStreamWaitEvent");
}

void CapturedSequence::record_inputs(const Slot& slot, cudaStream_t stream) const {
  for_each_port(spec_.inputs, slot.inputs.data(), [&](size_t, const SequenceSpec::Port& port, std::byte* staged) {
    copy_async(port.at, staged, port.bytes, cudaMemcpyHostToDevice, stream);
  });
}

void CapturedSequence::record_stages(const Slot& slot, size_t first, size_t end, cudaStream_t stream) const {
  for (size_t i = first; i < end; ++i) {
    programs_[i]->enqueue(stream);
    mark(slot.marks[i + 1], stream, backend_.graphs());
  }
}

void CapturedSequence::record_publication(cudaStream_t stream) const {
  for (const SequenceSpec::Copy& copy : spec_.publish)
    copy_async(copy.to, copy.from, copy.bytes, cudaMemcpyDeviceToDevice, stream);
}

void CapturedSequence::record_outputs(const Slot& slot, cudaStream_t stream) const {
  for_each_port(spec_.outputs, slot.outputs.data(), [&](size_t, const SequenceSpec::Port& port, std::byte* staged) {
    copy_async(staged, port.at, port.bytes, cudaMemcpyDeviceToHost, stream);
  });
}

void CapturedSequence::start(std::span<const std::byte* const> inputs) {
  if (started_ - finished_ == kStagingSlots)
    throw Error(ErrorKind::state, "a sequence has " + std::to_string(kStagingSlots) +
                                      " calls under way; finish one before starting another");
  const DeviceScope scope(backend_.device().ordinal);
  const Slot& slot = slots_[static_cast<size_t>(started_ % kStagingSlots)];
  for_each_port(spec_.inputs, slot.inputs.data(), [&](size_t i, const SequenceSpec::Port& port, std::byte* staged) {
    std::memcpy(staged, inputs[i], port.bytes);
  });
  if (slot.graph)
    check(cudaGraphLaunch(slot.graph.get(), backend_.stream()), "cudaGraphLaunch");
  else
    record(slot, backend_.stream());
  check(cudaEventRecord(slot.done.get(), backend_.stream()), "cudaEventRecord");
  ++started_;
}

void CapturedSequence::finish(std::span<std::byte* const> outputs, std::span<double> milliseconds) {
  const DeviceScope scope(backend_.device().ordinal);
  const Slot& slot = slots_[static_cast<size_t>(finished_++ % kStagingSlots)];
  check(cudaEventSynchronize(slot.done.get()), "cudaEventSynchronize");
  for_each_port(spec_.outputs, slot.outputs.data(), [&](size_t i, const SequenceSpec::Port& port, std::byte* staged) {
    if (i < outputs.size() && outputs[i]) std::memcpy(outputs[i], staged, port.bytes);
  });
  for (size_t i = 0; i < std::min(milliseconds.size(), programs_.size()); ++i) {
    float time = 0;
    check(cudaEventElapsedTime(&time, slot.marks[i].get(), slot.marks[i + 1].get()), "cudaEventElapsedTime");
    milliseconds[i] = static_cast<double>(time);
  }
}

}  // namespace yanrt::cuda
