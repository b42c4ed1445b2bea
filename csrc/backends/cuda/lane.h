// A device with the one stream through which its work goes, in order; so all that runs there shares weights, scratch
// and, in the decoder's lane, a workspace.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "backends/cuda/cublaslt.h"
#include "backends/cuda/device_info.h"
#include "backends/cuda/handles.h"
#include "backends/cuda/weights.h"

namespace yanrt::cuda {

struct Lane {
  // `library`: the path of cuBLASLt, or "".
  Lane(const DeviceInfo& info, const std::string& library) : device(info) {
    const DeviceScope scope(device.ordinal);
    stream = make_stream();
    if (!library.empty()) cublaslt = std::make_unique<CublasLt>(library);
  }

  // Allocated at the first call, which any thread may make; no kernel may be compiled after it.
  std::byte* scratch() { return allocated(scratch_, scratch_once_, scratch_bytes); }
  std::byte* workspace() { return allocated(workspace_, workspace_once_, workspace_bytes); }
  size_t bytes() const { return scratch_bytes + workspace_bytes; }

  DeviceInfo device;
  Weights weights;
  Stream stream;
  std::unique_ptr<CublasLt> cublaslt;
  size_t scratch_bytes = 0, workspace_bytes = 0;

 private:
  std::byte* allocated(DeviceBuffer& buffer, std::once_flag& once, size_t bytes) const {
    std::call_once(once, [&] {
      const DeviceScope scope(device.ordinal);
      buffer = DeviceBuffer(bytes);
    });
    return buffer.data();
  }

  DeviceBuffer scratch_, workspace_;
  std::once_flag scratch_once_, workspace_once_;
};

}  // namespace yanrt::cuda
