// yanrt._cuda_faults: a captured sequence that makes one mistake, so that tests can show that the mistake would be
// found. What is right in it is what backends/cuda/graph_capture.cpp does. Builds with YANRT_CUDA=SIM only.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstring>

#include "backends/cuda/backend.h"
#include "backends/cuda/graph_capture.h"
#include "program/reader.h"
#include "runtime/runner.h"

namespace py = pybind11;

namespace yanrt::cuda {
namespace {

enum class Fault {
  none,
  baked_state,          // state is set to what it was at the capture: a ring position in the graph
  staging_overwritten,  // the host writes the next input while the device may still read this one
  unjoined_stream,      // the capture's second stream is never joined
  missing_event,        // the second stream does not wait for the kernels whose results it copies
  sync_in_capture,      // the host waits during the capture
  early_read,           // the output is read before it has arrived
};

// One program over a runner's state, played by a graph: kernels on one stream, publication on a second one.
class FaultyPlayer {
 public:
  FaultyPlayer(const std::string& package, const std::string& program, Fault fault) : fault_(fault) {
    auto backend = std::make_unique<CudaBackend>(Options{});
    backend_ = backend.get();
    engine_ = std::make_shared<Engine>(read_package_bytes(std::as_bytes(std::span(package)), "faults"),
                                       std::move(backend), Precision::bf16);
    runner_ = std::make_unique<Runner>(engine_);
    const Plan& plan = engine_->program(program).plan;
    input_bytes_ = plan.inputs[0].desc.bytes();
    output_bytes_ = plan.outputs[0].desc.bytes();
    ports_ = DeviceBuffer(align_up(input_bytes_) + output_bytes_);
    std::byte *input = ports_.data(), *output = ports_.data() + align_up(input_bytes_);
    const SequenceSpec::Stage stage = runner_->stage(program, {&input, 1}, {&output, 1});
    program_ = static_cast<const CudaExecutable*>(stage.executable)->bind_program(stage.bindings);
    publish_ = runner_->publication(program);
    staged_input_ = PinnedBuffer(input_bytes_);
    staged_output_ = PinnedBuffer(output_bytes_);
    side_ = make_stream();
    for (Event* event : {&begun_, &computed_, &published_, &done_}) *event = make_event(false);
    for (const SequenceSpec::Copy& copy : publish_) old_state_.emplace_back(copy.bytes);
    const Graph graph = capture([&](cudaStream_t stream) { record(input, output, stream); });
    graph_ = instantiate(graph);
  }

  // Plays every input; the outputs, one after the other.
  std::vector<py::bytes> play(const std::vector<std::string>& inputs) {
    std::vector<std::string> outputs;
    for (const std::string& input : inputs) {
      std::memcpy(staged_input_.data(), input.data(), input_bytes_);
      check(cudaGraphLaunch(graph_.get(), backend_->stream()), "cudaGraphLaunch");
      check(cudaEventRecord(done_.get(), backend_->stream()), "cudaEventRecord");
      if (fault_ == Fault::staging_overwritten) std::memset(staged_input_.data(), 0, input_bytes_);
      if (fault_ == Fault::early_read) take(outputs);
      check(cudaEventSynchronize(done_.get()), "cudaEventSynchronize");
      if (fault_ != Fault::early_read) take(outputs);
    }
    return {outputs.begin(), outputs.end()};
  }

 private:
  void take(std::vector<std::string>& outputs) const {
    outputs.emplace_back(reinterpret_cast<const char*>(staged_output_.data()), output_bytes_);
  }

  void copy(void* to, const void* from, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) const {
    check(cudaMemcpyAsync(to, from, bytes, kind, stream), "cudaMemcpyAsync");
  }

  void record(std::byte* input, std::byte* output, cudaStream_t main) {
    const cudaStream_t side = side_.get();
    copy(input, staged_input_.data(), input_bytes_, cudaMemcpyHostToDevice, main);
    if (fault_ == Fault::baked_state)
      for (size_t i = 0; i < publish_.size(); ++i)
        copy(publish_[i].to, old_state_[i].data(), publish_[i].bytes, cudaMemcpyDeviceToDevice, main);
    check(cudaEventRecord(begun_.get(), main), "cudaEventRecord");
    program_->enqueue(main);
    if (fault_ == Fault::sync_in_capture) check(cudaStreamSynchronize(main), "cudaStreamSynchronize");
    check(cudaEventRecord(computed_.get(), main), "cudaEventRecord");
    const Event& awaited = fault_ == Fault::missing_event ? begun_ : computed_;
    check(cudaStreamWaitEvent(side, awaited.get(), 0), "cudaStreamWaitEvent");
    for (const SequenceSpec::Copy& c : publish_) copy(c.to, c.from, c.bytes, cudaMemcpyDeviceToDevice, side);
    check(cudaEventRecord(published_.get(), side), "cudaEventRecord");
    if (fault_ != Fault::unjoined_stream) check(cudaStreamWaitEvent(main, published_.get(), 0), "cudaStreamWaitEvent");
    copy(staged_output_.data(), output, output_bytes_, cudaMemcpyDeviceToHost, main);
  }

  Fault fault_;
  CudaBackend* backend_;
  std::shared_ptr<const Engine> engine_;
  std::unique_ptr<Runner> runner_;
  size_t input_bytes_, output_bytes_;
  DeviceBuffer ports_;
  std::unique_ptr<CudaProgram> program_;
  std::vector<SequenceSpec::Copy> publish_;
  std::vector<DeviceBuffer> old_state_;  // zero, as the state at the capture
  PinnedBuffer staged_input_, staged_output_;
  Stream side_;
  Event begun_, computed_, published_, done_;
  GraphExec graph_;
};

}  // namespace

PYBIND11_MODULE(_cuda_faults, m) {
  py::enum_<Fault>(m, "Fault")
      .value("none", Fault::none)
      .value("baked_state", Fault::baked_state)
      .value("staging_overwritten", Fault::staging_overwritten)
      .value("unjoined_stream", Fault::unjoined_stream)
      .value("missing_event", Fault::missing_event)
      .value("sync_in_capture", Fault::sync_in_capture)
      .value("early_read", Fault::early_read);
  m.def(
      "play",
      [](const std::string& package, const std::string& program, const std::vector<std::string>& inputs, Fault fault) {
        return FaultyPlayer(package, program, fault).play(inputs);
      },
      py::arg("package"), py::arg("program"), py::arg("inputs"), py::arg("fault"));
}

}  // namespace yanrt::cuda
