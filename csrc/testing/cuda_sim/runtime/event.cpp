#include <algorithm>

#include "testing/cuda_sim/runtime/device.h"
#include "testing/cuda_sim/runtime/graph.h"
#include "testing/cuda_sim/runtime/stream.h"
#include "testing/cuda_sim/state.h"

using namespace yanrt::cuda_sim;

extern "C" {

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  YANRT_SIM_LOCK;
  *event = new CUevent_st;
  ++mutable_live().events;
  return cudaSuccess;
}
cudaError_t cudaEventCreate(cudaEvent_t* event) { return cudaEventCreateWithFlags(event, cudaEventDefault); }
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  YANRT_SIM_LOCK;
  // Tasks in streams may still refer to it.
  const cudaError_t error = run_until([=] { return event->done >= event->recorded; });
  delete event;
  --mutable_live().events;
  return error;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  YANRT_SIM_LOCK;
  stream = resolve(stream);
  if (stream->capture) {
    capture_event(event, stream);
    return cudaSuccess;
  }
  event->capture = nullptr;
  event->clock = stream->clock;
  const uint64_t record = ++event->recorded;
  const auto run = [=] {
    event->done = std::max(event->done, record);
    event->time = std::chrono::steady_clock::now();
    return cudaSuccess;
  };
  stream->queue.push_back({run, nullptr, nullptr});
  return cudaSuccess;
}

// External, during a capture: a node of the graph, which records at each launch.
cudaError_t cudaEventRecordWithFlags(cudaEvent_t event, cudaStream_t stream, unsigned flags) {
  YANRT_SIM_LOCK;
  stream = resolve(stream);
  if (flags != cudaEventRecordExternal || !stream->capture) return cudaEventRecord(event, stream);
  Work work;
  work.kind = Work::Kind::host;
  work.device = stream->device;
  work.argument = event;
  work.function = [](void* argument) {
    auto* recorded = static_cast<cudaEvent_t>(argument);
    recorded->done = ++recorded->recorded;
    recorded->time = std::chrono::steady_clock::now();
  };
  capture_work(stream, std::move(work));
  return cudaSuccess;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  YANRT_SIM_LOCK;
  stream = resolve(stream);
  if (event->capture) return capture_wait(stream, event);
  if (stream->capture) {
    stream->capture->invalid = true;
    return failed(cudaErrorStreamCaptureIsolation);
  }
  join_clock(stream->clock, event->clock);
  const uint64_t record = event->recorded;
  stream->queue.push_back({[] { return cudaSuccess; }, [=] { return event->done >= record; }, nullptr});
  return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  YANRT_SIM_LOCK;
  if (const cudaError_t error = refuse_while_capturing("cudaEventSynchronize")) return error;
  host_learns(event->clock);
  return run_until([=] { return event->done >= event->recorded; });
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
  YANRT_SIM_LOCK;
  if (const cudaError_t error = refuse_while_capturing("cudaEventQuery")) return error;
  run_one();
  if (event->done < event->recorded) return cudaErrorNotReady;
  host_learns(event->clock);
  return cudaSuccess;
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t begin, cudaEvent_t end) {
  YANRT_SIM_LOCK;
  if (!begin->recorded || !end->recorded) return failed(cudaErrorInvalidResourceHandle);
  if (begin->done < begin->recorded || end->done < end->recorded) return cudaErrorNotReady;
  *milliseconds = std::chrono::duration<float, std::milli>(end->time - begin->time).count();
  return cudaSuccess;
}

}  // extern "C"
