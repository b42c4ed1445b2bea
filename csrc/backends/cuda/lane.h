// A device with the one stream through which its work goes, in order; so all that runs there shares weights, scratch
// and, in the decoder's lane, a workspace.
#pragma once

#include <algorithm>
#include <memory>
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

  // Allocated at the first call, of the sizes that all kernels compiled so far ask for.
  std::byte* scratch() { return grown(scratch_, scratch_bytes); }
  std::byte* workspace() { return grown(workspace_, workspace_bytes); }
  size_t bytes() const { return scratch_bytes + workspace_bytes; }

  DeviceInfo device;
  Weights weights;
  Stream stream;
  std::unique_ptr<CublasLt> cublaslt;
  size_t scratch_bytes = 0, workspace_bytes = 0;

 private:
  std::byte* grown(DeviceBuffer& buffer, size_t bytes) const {
    const DeviceScope scope(device.ordinal);
    if (buffer.size() < bytes) buffer = DeviceBuffer(bytes);
    return buffer.data();
  }

  DeviceBuffer scratch_, workspace_;
};

}  // namespace yanrt::cuda
