#include "backends/cuda/split_sequence.h"

#include <algorithm>
#include <cstring>

#include "backends/cuda/backend.h"
#include "backends/cuda/graph_capture.h"
#include "backends/cuda/staging.h"
#include "core/error.h"

namespace yanrt::cuda {
namespace {

void mark(const Event& event, cudaStream_t stream) {
  check(cudaEventRecordWithFlags(event.get(), stream, cudaEventRecordExternal), "cudaEventRecordWithFlags");
}

double elapsed(const Event& from, const Event& to) {
  float time = 0;
  check(cudaEventElapsedTime(&time, from.get(), to.get()), "cudaEventElapsedTime");
  return static_cast<double>(time);
}

const CudaExecutable& executable_of(const SequenceSpec::Stage& stage) {
  return static_cast<const CudaExecutable&>(*stage.executable);
}

}  // namespace

SplitSequence::SplitSequence(CudaBackend& backend, const SequenceSpec& spec)
    : main_(backend.lane()),
      decoder_(*backend.decoder()),
      first_pure_(first_pure(spec.stages)),
      publish_(spec.publish),
      inputs_(spec.inputs),
      outputs_(spec.outputs) {
  bind(spec);
  {
    const DeviceScope scope(decoder_.device.ordinal);
    taken_ = make_event(false);
  }
  for (Slot& slot : slots_) make_slot(slot);
}

SplitSequence::~SplitSequence() {
  cudaStreamSynchronize(decoder_.stream.get());
  cudaStreamSynchronize(main_.stream.get());
}

void SplitSequence::bind(const SequenceSpec& spec) {
  for (size_t i = 0; i < spec.stages.size(); ++i) {
    const CudaExecutable& executable = executable_of(spec.stages[i]);
    if (i < first_pure_) {
      if (&executable.lane() == &decoder_)
        throw Error(ErrorKind::unsupported, "program " + executable.plan().program->name +
                                                " keeps no state but stands before one that does; leave out the "
                                                "decoder's device");
      programs_.push_back(executable.bind_program(spec.stages[i].bindings));
      continue;
    }
    std::vector<std::byte*> inputs, outputs;
    for (size_t port = 0; port < executable.plan().inputs.size(); ++port) {
      std::byte* const slot = spec.stages[i].bindings.inputs[port];
      const size_t bytes = executable.plan().inputs[port].desc.bytes();
      const bool made_here = local_.contains(slot);
      inputs.push_back(local(slot, bytes));
      if (!made_here) taken_copies_.push_back({inputs.back(), slot, bytes});
    }
    for (size_t port = 0; port < executable.plan().outputs.size(); ++port) {
      std::byte* const slot = spec.stages[i].bindings.outputs[port];
      const size_t bytes = executable.plan().outputs[port].desc.bytes();
      outputs.push_back(local(slot, bytes));
      returned_copies_.push_back({slot, outputs.back(), bytes});
    }
    programs_.push_back(executable.bind_program({.inputs = inputs, .outputs = outputs}));
  }
}

// The decoder's copy of a slot.
std::byte* SplitSequence::local(std::byte* slot, size_t bytes) {
  const auto found = local_.find(slot);
  if (found != local_.end()) return found->second.data();
  const DeviceScope scope(decoder_.device.ordinal);
  return local_.emplace(slot, DeviceBuffer(bytes)).first->second.data();
}

void SplitSequence::make_slot(Slot& slot) {
  slot.inputs = PinnedBuffer(staged_bytes(inputs_));
  slot.outputs = PinnedBuffer(staged_bytes(outputs_));
  {
    const DeviceScope scope(main_.device.ordinal);
    for (size_t i = 0; i <= first_pure_; ++i) slot.main_marks.push_back(make_event(true));
    slot.computed = make_event(false);
    slot.main = instantiate(capture([&](cudaStream_t stream) { record_main(slot, stream); }));
    check(cudaGraphUpload(slot.main.get(), main_.stream.get()), "cudaGraphUpload");
  }
  const DeviceScope scope(decoder_.device.ordinal);
  for (size_t i = first_pure_; i <= programs_.size(); ++i) slot.decoder_marks.push_back(make_event(true));
  slot.done = make_event(false);
  slot.decoder = instantiate(capture([&](cudaStream_t stream) { record_decoder(slot, stream); }));
  check(cudaGraphUpload(slot.decoder.get(), decoder_.stream.get()), "cudaGraphUpload");
}

void SplitSequence::record_main(const Slot& slot, cudaStream_t stream) const {
  for_each_port(inputs_, slot.inputs.data(), [&](size_t, const SequenceSpec::Port& port, std::byte* staged) {
    copy_async(port.at, staged, port.bytes, cudaMemcpyHostToDevice, stream);
  });
  mark(slot.main_marks[0], stream);
  for (size_t i = 0; i < first_pure_; ++i) {
    programs_[i]->enqueue(stream);
    mark(slot.main_marks[i + 1], stream);
  }
  for_each_port(outputs_, slot.outputs.data(), [&](size_t, const SequenceSpec::Port& port, std::byte* staged) {
    if (!local_.contains(port.at)) copy_async(staged, port.at, port.bytes, cudaMemcpyDeviceToHost, stream);
  });
  for (const SequenceSpec::Copy& copy : publish_)
    copy_async(copy.to, copy.from, copy.bytes, cudaMemcpyDeviceToDevice, stream);
}

void SplitSequence::record_decoder(const Slot& slot, cudaStream_t stream) const {
  mark(slot.decoder_marks[0], stream);
  for (size_t i = first_pure_; i < programs_.size(); ++i) {
    programs_[i]->enqueue(stream);
    mark(slot.decoder_marks[i - first_pure_ + 1], stream);
  }
  for_each_port(outputs_, slot.outputs.data(), [&](size_t, const SequenceSpec::Port& port, std::byte* staged) {
    const auto found = local_.find(port.at);
    if (found != local_.end()) copy_async(staged, found->second.data(), port.bytes, cudaMemcpyDeviceToHost, stream);
  });
  for (const SequenceSpec::Copy& copy : returned_copies_)
    copy_async(copy.to, copy.from, copy.bytes, cudaMemcpyDeviceToDevice, stream);
}

void SplitSequence::start(std::span<const std::byte* const> inputs) {
  if (started_ - finished_ == kStagingSlots)
    throw Error(ErrorKind::state, "a sequence has " + std::to_string(kStagingSlots) +
                                      " calls under way; finish one before starting another");
  const Slot& slot = slots_[static_cast<size_t>(started_ % kStagingSlots)];
  for_each_port(inputs_, slot.inputs.data(), [&](size_t i, const SequenceSpec::Port& port, std::byte* staged) {
    std::memcpy(staged, inputs[i], port.bytes);
  });
  {
    const DeviceScope scope(main_.device.ordinal);
    check(cudaStreamWaitEvent(main_.stream.get(), taken_.get(), 0), "cudaStreamWaitEvent");
    check(cudaGraphLaunch(slot.main.get(), main_.stream.get()), "cudaGraphLaunch");
    check(cudaEventRecord(slot.computed.get(), main_.stream.get()), "cudaEventRecord");
  }
  const DeviceScope scope(decoder_.device.ordinal);
  const cudaStream_t stream = decoder_.stream.get();
  check(cudaStreamWaitEvent(stream, slot.computed.get(), 0), "cudaStreamWaitEvent");
  for (const SequenceSpec::Copy& copy : taken_copies_)
    copy_async(copy.to, copy.from, copy.bytes, cudaMemcpyDeviceToDevice, stream);
  check(cudaEventRecord(taken_.get(), stream), "cudaEventRecord");
  check(cudaGraphLaunch(slot.decoder.get(), stream), "cudaGraphLaunch");
  check(cudaEventRecord(slot.done.get(), stream), "cudaEventRecord");
  ++started_;
}

void SplitSequence::finish(std::span<std::byte* const> outputs, std::span<double> milliseconds) {
  const DeviceScope scope(decoder_.device.ordinal);
  const Slot& slot = slots_[static_cast<size_t>(finished_++ % kStagingSlots)];
  check(cudaEventSynchronize(slot.done.get()), "cudaEventSynchronize");
  for_each_port(outputs_, slot.outputs.data(), [&](size_t i, const SequenceSpec::Port& port, std::byte* staged) {
    if (i < outputs.size() && outputs[i]) std::memcpy(outputs[i], staged, port.bytes);
  });
  for (size_t i = 0; i < std::min(milliseconds.size(), programs_.size()); ++i) {
    const bool main = i < first_pure_;
    const std::vector<Event>& marks = main ? slot.main_marks : slot.decoder_marks;
    const size_t at = main ? i : i - first_pure_;
    milliseconds[i] = elapsed(marks[at], marks[at + 1]);
  }
}

}  // namespace yanrt::cuda
