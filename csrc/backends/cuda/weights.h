// Constants on the device, shared by all kernels (and programs) that want the same tensor in the same form.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>

#include "backends/cuda/handles.h"
#include "program/program.h"

namespace yanrt::cuda {

class Weights {
 public:
  // `form` names the packing ("rows.bf16"). If it is not there yet, `fill` is called on a zeroed buffer of the host of
  // `bytes`, which is then copied. The address is 256-byte aligned and valid as long as this.
  const std::byte* get(const std::string& tensor, const std::string& form, size_t bytes,
                       const std::function<void(std::byte*)>& fill);
  // Contents that belong to no tensor, such as an op's program.
  const std::byte* keep(const void* contents, size_t bytes);
  size_t bytes() const { return bytes_; }

 private:
  DeviceBuffer upload(const std::byte* contents, size_t bytes);

  std::map<std::pair<std::string, std::string>, DeviceBuffer> packed_;
  std::vector<DeviceBuffer> kept_;
  size_t bytes_ = 0;
};

}  // namespace yanrt::cuda
