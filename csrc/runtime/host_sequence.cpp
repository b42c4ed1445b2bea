#include "runtime/host_sequence.h"

#include <algorithm>
#include <chrono>
#include <cstring>

namespace yanrt {
namespace {

class HostSequence final : public Sequence {
 public:
  explicit HostSequence(const SequenceSpec& spec)
      : publish_(spec.publish), inputs_(spec.inputs), outputs_(spec.outputs), milliseconds_(spec.stages.size()) {
    for (const SequenceSpec::Stage& stage : spec.stages) stages_.push_back(stage.executable->bind(stage.bindings));
  }

  void start(std::span<const std::byte* const> inputs) override {
    for (size_t i = 0; i < inputs_.size(); ++i) std::memcpy(inputs_[i].at, inputs[i], inputs_[i].bytes);
    auto begin = std::chrono::steady_clock::now();
    for (size_t i = 0; i < stages_.size(); ++i) {
      stages_[i]->run();
      const auto end = std::chrono::steady_clock::now();
      milliseconds_[i] = std::chrono::duration<double, std::milli>(end - begin).count();
      begin = end;
    }
    for (const SequenceSpec::Copy& copy : publish_) std::memcpy(copy.to, copy.from, copy.bytes);
  }

  void finish(std::span<std::byte* const> outputs, std::span<double> milliseconds) override {
    for (size_t i = 0; i < outputs.size(); ++i)
      if (outputs[i]) std::memcpy(outputs[i], outputs_[i].at, outputs_[i].bytes);
    std::copy_n(milliseconds_.begin(), std::min(milliseconds.size(), milliseconds_.size()), milliseconds.begin());
  }

 private:
  std::vector<SequenceSpec::Copy> publish_;
  std::vector<SequenceSpec::Port> inputs_, outputs_;
  std::vector<std::unique_ptr<BoundProgram>> stages_;
  std::vector<double> milliseconds_;
};

}  // namespace

std::unique_ptr<Sequence> make_host_sequence(const SequenceSpec& spec) { return std::make_unique<HostSequence>(spec); }

}  // namespace yanrt
