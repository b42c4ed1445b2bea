#include "backends/cuda/weights.h"

#include <vector>

namespace yanrt::cuda {

DeviceBuffer Weights::upload(const std::byte* contents, size_t bytes) {
  DeviceBuffer buffer(bytes);
  if (bytes) check(cudaMemcpy(buffer.data(), contents, bytes, cudaMemcpyHostToDevice), "cudaMemcpy");
  // cudaMemcpy returns once pageable memory is staged; other streams must not read before it has arrived.
  check(cudaStreamSynchronize(nullptr), "cudaStreamSynchronize");
  bytes_ += bytes;
  return buffer;
}

const std::byte* Weights::get(const std::string& tensor, const std::string& form, size_t bytes,
                              const std::function<void(std::byte*)>& fill) {
  const auto found = packed_.find({tensor, form});
  if (found != packed_.end()) return found->second.data();
  std::vector<std::byte> host(bytes);
  fill(host.data());
  return packed_.emplace(std::pair(tensor, form), upload(host.data(), bytes)).first->second.data();
}

const std::byte* Weights::keep(const void* contents, size_t bytes) {
  kept_.push_back(upload(static_cast<const std::byte*>(contents), bytes));
  return kept_.back().data();
}

}  // namespace yanrt::cuda
