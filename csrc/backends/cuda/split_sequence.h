// A call of a session in two lanes: programs that keep state in the main one, those after them that keep none (the
// decoder) on a device or stream of its own, so that a call's frames are decoded while the next call is computed.
//
//   main      wait until the decoder has taken the last call's latents; graph: inputs, stages, publication
//   decoder   wait for the main lane; take the latents; graph: stages, outputs to pinned memory, and back to their
//   slots
//
// Each lane has a graph a staging slot. What crosses from one device to another is copied by the decoder's stream.
#pragma once

#include <array>
#include <map>
#include <vector>

#include "backends/cuda/executable.h"
#include "backends/cuda/handles.h"
#include "backends/cuda/staging.h"
#include "runtime/backend.h"

namespace yanrt::cuda {

class SplitSequence final : public Sequence {
 public:
  // Throws Error(unsupported) if a program that keeps no state stands before one that does.
  SplitSequence(CudaBackend& backend, const SequenceSpec& spec);
  ~SplitSequence() override;

  void start(std::span<const std::byte* const> inputs) override;
  void finish(std::span<std::byte* const> outputs, std::span<double> milliseconds) override;
  int depth() const override { return kStagingSlots; }

 private:
  struct Slot {
    PinnedBuffer inputs, outputs;
    std::vector<Event> main_marks, decoder_marks;  // before the first stage, and after each
    Event computed, done;
    GraphExec main, decoder;
  };
  void bind(const SequenceSpec& spec);
  std::byte* local(std::byte* slot, size_t bytes);
  void make_slot(Slot& slot);
  void record_main(const Slot& slot, cudaStream_t stream) const;
  void record_decoder(const Slot& slot, cudaStream_t stream) const;

  Lane &main_, &decoder_;
  size_t first_pure_;
  std::vector<SequenceSpec::Copy> publish_;
  std::vector<SequenceSpec::Port> inputs_, outputs_;
  std::vector<std::unique_ptr<CudaProgram>> programs_;
  std::map<const std::byte*, DeviceBuffer> local_;  // address of a slot -> its copy in the decoder's lane
  std::vector<SequenceSpec::Copy> taken_copies_, returned_copies_;
  Event taken_;  // the decoder's lane has copied what the next call will overwrite
  std::array<Slot, kStagingSlots> slots_;
  int64_t started_ = 0, finished_ = 0;
};

}  // namespace yanrt::cuda
