#include <cstring>
#include <vector>

#include "testing/cuda_sim/memory.h"
#include "testing/cuda_sim/report.h"
#include "testing/cuda_sim/runtime/device.h"
#include "testing/cuda_sim/runtime/stream.h"

using namespace yanrt::cuda_sim;

namespace {

bool is_pageable(const void* pointer) { return !in_device(pointer) && !is_pinned(pointer); }

Work copy_work(void* to, size_t to_pitch, const void* from, size_t from_pitch, size_t width, size_t rows) {
  Work work;
  work.kind = Work::Kind::copy;
  work.to = {static_cast<std::byte*>(to), to_pitch};
  work.from = {static_cast<std::byte*>(const_cast<void*>(from)), from_pitch};
  work.width = width;
  work.rows = rows;
  return work;
}

// A pageable source is staged before the call returns.
cudaError_t copy_from_staged(Work work, cudaStream_t stream) {
  auto staged = std::make_shared<std::vector<std::byte>>(work.width * work.rows);
  for (size_t row = 0; row < work.rows; ++row)
    std::memcpy(staged->data() + row * work.width, work.from.data + row * work.from.pitch, work.width);
  work.from = {staged->data(), work.width};
  work.device = resolve(stream)->device;
  return enqueue_task(
      stream,
      [work, staged](const Operation& operation) {
        begin_operation(operation);
        return carry_out(work, std::nullopt);
      },
      nullptr);
}

cudaError_t copy(const Work& work, cudaStream_t stream, cudaMemcpyKind kind) {
  if (work.width == 0 || work.rows == 0) return cudaSuccess;
  const bool to_device = in_device(work.to.data), from_device = in_device(work.from.data);
  const bool host_target = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyHostToHost;
  const bool host_source = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyHostToHost;
  if (kind != cudaMemcpyDefault && (host_target == to_device || host_source == from_device)) {
    report("copy-direction", "a copy whose pointers do not match its cudaMemcpyKind");
    return failed(cudaErrorInvalidValue);
  }
  const bool capturing = resolve(stream)->capture != nullptr;
  if (is_pageable(work.from.data) && !capturing) return copy_from_staged(work, stream);
  if (is_pageable(work.from.data) || (is_pageable(work.to.data) && capturing))
    report("pageable-in-graph", "a captured copy reads or writes pageable host memory, which is not asynchronous");
  if (const cudaError_t error = enqueue(stream, work)) return error;
  if (is_pageable(work.to.data) && !capturing) return cudaStreamSynchronize(stream);
  return cudaSuccess;
}

cudaError_t fill(void* to, size_t pitch, int value, size_t width, size_t rows, cudaStream_t stream) {
  if (width == 0 || rows == 0) return cudaSuccess;
  Work work;
  work.kind = Work::Kind::fill;
  work.to = {static_cast<std::byte*>(to), pitch};
  work.value = value;
  work.width = width;
  work.rows = rows;
  return enqueue(stream, work);
}

}  // namespace

extern "C" {

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  YANRT_SIM_LOCK;
  return copy(copy_work(to, bytes, from, bytes, bytes, 1), stream, kind);
}
cudaError_t cudaMemcpy2DAsync(void* to, size_t to_pitch, const void* from, size_t from_pitch, size_t width, size_t rows,
                              cudaMemcpyKind kind, cudaStream_t stream) {
  YANRT_SIM_LOCK;
  if (width > to_pitch || width > from_pitch) return failed(cudaErrorInvalidPitchValue);
  return copy(copy_work(to, to_pitch, from, from_pitch, width, rows), stream, kind);
}
cudaError_t cudaMemcpyPeerAsync(void* to, int, const void* from, int, size_t bytes, cudaStream_t stream) {
  return cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream);
}
cudaError_t cudaMemcpy(void* to, const void* from, size_t bytes, cudaMemcpyKind kind) {
  YANRT_SIM_LOCK;
  if (const cudaError_t error = refuse_while_capturing("cudaMemcpy")) return error;
  if (const cudaError_t error = cudaMemcpyAsync(to, from, bytes, kind, nullptr)) return error;
  // From pageable memory it returns once the bytes are staged; they arrive in the order of the default stream.
  return is_pageable(from) && in_device(to) ? cudaSuccess : cudaStreamSynchronize(nullptr);
}
cudaError_t cudaMemsetAsync(void* to, int value, size_t bytes, cudaStream_t stream) {
  YANRT_SIM_LOCK;
  return fill(to, bytes, value, bytes, 1, stream);
}
cudaError_t cudaMemset2DAsync(void* to, size_t pitch, int value, size_t width, size_t rows, cudaStream_t stream) {
  YANRT_SIM_LOCK;
  return fill(to, pitch, value, width, rows, stream);
}
cudaError_t cudaMemset(void* to, int value, size_t bytes) {
  if (const cudaError_t error = cudaMemsetAsync(to, value, bytes, nullptr)) return error;
  return cudaSuccess;
}

}  // extern "C"
