#include "testing/cuda_sim/runtime/stream.h"

#include <algorithm>
#include <map>
#include <utility>

#include "testing/cuda_sim/memory.h"
#include "testing/cuda_sim/random.h"
#include "testing/cuda_sim/report.h"
#include "testing/cuda_sim/runtime/device.h"
#include "testing/cuda_sim/runtime/graph.h"
#include "testing/cuda_sim/state.h"

namespace yanrt::cuda_sim {
namespace {

Clock host_clock;
uint32_t next_timeline = 0;

cudaStream_t make_stream(int device, bool non_blocking) {
  auto* stream = new CUstream_st;
  stream->device = device;
  stream->non_blocking = non_blocking;
  stream->timeline = next_timeline++;
  streams().push_back(stream);
  return stream;
}

cudaStream_t default_stream(int device) {
  static std::map<int, cudaStream_t> made;
  cudaStream_t& stream = made[device];
  if (!stream) stream = make_stream(device, false);
  return stream;
}

// Streams that the default stream waits for, and that wait for it.
std::vector<cudaStream_t> blocking_peers(cudaStream_t stream) {
  std::vector<cudaStream_t> peers;
  for (const cudaStream_t other : streams())
    if (other != stream && other->device == stream->device && !other->non_blocking) peers.push_back(other);
  return peers;
}

// The operation that comes next in a stream, and what is finished before it.
Operation next_operation(cudaStream_t stream) {
  join_clock(stream->clock, host_clock);
  Operation operation;
  operation.timeline = stream->timeline;
  operation.sequence = ++stream->sequence;
  if (stream->clock.size() <= stream->timeline) stream->clock.resize(stream->timeline + 1, 0);
  operation.before = std::make_shared<Clock>(stream->clock);
  stream->clock[stream->timeline] = stream->sequence;
  return operation;
}

cudaError_t run_and_forget(cudaStream_t stream) {
  Task task = std::move(stream->queue.front());
  stream->queue.pop_front();
  return task.run();
}

cudaError_t lost = cudaSuccess;  // of a kernel that was given up; told by the next call that waits

}  // namespace

std::vector<cudaStream_t>& streams() {
  static std::vector<cudaStream_t> all;
  return all;
}

bool is_default(cudaStream_t stream) { return stream == default_stream(stream->device); }

cudaStream_t resolve(cudaStream_t stream) {
  const bool named = stream != nullptr && stream != cudaStreamLegacy && stream != cudaStreamPerThread;
  return named ? stream : default_stream(current_device());
}

void host_learns(const Clock& clock) { join_clock(host_clock, clock); }

bool run_one() {
  std::vector<cudaStream_t> ready;
  for (const cudaStream_t stream : streams())
    if (!stream->queue.empty() && (!stream->queue.front().ready || stream->queue.front().ready()))
      ready.push_back(stream);
  if (ready.empty()) return false;
  size_t pick = 0;
  if (options().order == Order::lifo) pick = ready.size() - 1;
  if (options().order == Order::random) pick = random_source().below(ready.size());
  if (const cudaError_t error = run_and_forget(ready[pick])) lost = error;
  return true;
}

cudaError_t run_until(const std::function<bool()>& done) {
  while (!done())
    if (!run_one()) {
      report("stream-deadlock", "streams wait for events that nothing will record");
      return failed(cudaErrorLaunchFailure);
    }
  return failed(std::exchange(lost, cudaSuccess));
}

cudaError_t refuse_while_capturing(const char* call) {
  bool refused = false;
  for (const cudaStream_t stream : streams()) {
    Capture* capture = stream->capture;
    if (!capture || capture->mode == cudaStreamCaptureModeRelaxed) continue;
    if (capture->mode == cudaStreamCaptureModeThreadLocal && capture->thread != std::this_thread::get_id()) continue;
    capture->invalid = refused = true;
  }
  if (!refused) return cudaSuccess;
  report("capture-unsafe-call", format("%s while a stream is being captured", call), call);
  return failed(cudaErrorStreamCaptureUnsupported);
}

cudaError_t enqueue_task(cudaStream_t stream, std::function<cudaError_t(const Operation&)> begin,
                         std::function<bool(const void*, size_t)> reads_host) {
  stream = resolve(stream);
  const bool legacy = is_default(stream);
  if (legacy) {
    if (const cudaError_t error = refuse_while_capturing("work on the default stream")) return error;
    for (const cudaStream_t other : blocking_peers(stream)) {
      if (const cudaError_t error = run_until([=] { return other->queue.empty(); })) return error;
      join_clock(stream->clock, other->clock);
    }
  }
  const Operation operation = next_operation(stream);
  if (legacy)
    for (const cudaStream_t other : blocking_peers(stream)) join_clock(other->clock, stream->clock);
  stream->queue.push_back({[=] { return begin(operation); }, nullptr, std::move(reads_host)});
  return cudaSuccess;
}

cudaError_t enqueue(cudaStream_t stream, Work work) {
  stream = resolve(stream);
  work.device = stream->device;
  if (stream->capture) {
    capture_work(stream, std::move(work));
    return cudaSuccess;
  }
  const auto source = hand_over(work);
  return enqueue_task(
      stream,
      [=](const Operation& operation) {
        begin_operation(operation);
        return carry_out(work, source);
      },
      [=](const void* data, size_t bytes) { return reads_host_range(work, data, bytes); });
}

cudaError_t synchronize_all(const char* call) {
  if (const cudaError_t error = refuse_while_capturing(call)) return error;
  for (const cudaStream_t stream : streams()) host_learns(stream->clock);
  return run_until(
      [] { return std::all_of(streams().begin(), streams().end(), [](cudaStream_t s) { return s->queue.empty(); }); });
}

}  // namespace yanrt::cuda_sim

using namespace yanrt::cuda_sim;

extern "C" {

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  YANRT_SIM_LOCK;
  default_stream(current_device());
  *stream = make_stream(current_device(), (flags & cudaStreamNonBlocking) != 0);
  ++mutable_live().streams;
  return cudaSuccess;
}
cudaError_t cudaStreamCreate(cudaStream_t* stream) { return cudaStreamCreateWithFlags(stream, cudaStreamDefault); }
cudaError_t cudaStreamCreateWithPriority(cudaStream_t* stream, unsigned flags, int) {
  return cudaStreamCreateWithFlags(stream, flags);
}
cudaError_t cudaDeviceGetStreamPriorityRange(int* least, int* greatest) {
  *least = 0;
  *greatest = -5;
  return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  YANRT_SIM_LOCK;
  const cudaError_t error = run_until([=] { return stream->queue.empty(); });
  std::erase(streams(), stream);
  delete stream;
  --mutable_live().streams;
  return error;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  YANRT_SIM_LOCK;
  if (const cudaError_t error = refuse_while_capturing("cudaStreamSynchronize")) return error;
  stream = resolve(stream);
  host_learns(stream->clock);
  return run_until([=] { return stream->queue.empty(); });
}

cudaError_t cudaStreamQuery(cudaStream_t stream) {
  YANRT_SIM_LOCK;
  if (const cudaError_t error = refuse_while_capturing("cudaStreamQuery")) return error;
  stream = resolve(stream);
  run_one();
  if (!stream->queue.empty()) return cudaErrorNotReady;
  host_learns(stream->clock);
  return cudaSuccess;
}

cudaError_t cudaLaunchHostFunc(cudaStream_t stream, cudaHostFn_t function, void* argument) {
  YANRT_SIM_LOCK;
  Work work;
  work.kind = Work::Kind::host;
  work.function = function;
  work.argument = argument;
  return enqueue(stream, work);
}

}  // extern "C"

namespace yanrt::cuda_sim {

cudaError_t enqueue_kernel(const void* function, void (*invoke)(const void*, void*), void* arguments, size_t bytes,
                           dim3 grid, dim3 block, size_t shared_bytes, cudaStream_t stream) {
  YANRT_SIM_LOCK;
  Work work;
  work.call =
      std::shared_ptr<const KernelCall>(new KernelCall{function, invoke, arguments}, [bytes](const KernelCall* call) {
        internal_free(call->arguments, bytes);
        delete call;
      });
  const uint64_t threads = uint64_t{block.x} * block.y * block.z;
  if (threads == 0 || threads > 1024 || block.z > 64 || !grid.x || !grid.y || !grid.z || grid.y > 65535 ||
      grid.z > 65535)
    return failed(cudaErrorInvalidConfiguration);
  if (shared_bytes > allowed_shared_bytes(function)) return failed(cudaErrorInvalidValue);
  work.grid = grid;
  work.block = block;
  work.shared_bytes = shared_bytes;
  return enqueue(stream, std::move(work));
}

}  // namespace yanrt::cuda_sim
