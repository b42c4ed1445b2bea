#include "backends/cuda/cuda.h"
#include "core/error.h"

namespace yanrt::cuda {

std::string built_device() { return ""; }

std::unique_ptr<Backend> make_backend(const Options&) {
  throw Error(ErrorKind::unsupported,
              "device 'cuda' is not available: yanrt was built without CUDA (configure with -DYANRT_CUDA=ON), "
              "or use device='cpu'");
}

}  // namespace yanrt::cuda
