#include "backends/cuda/cuda.h"

namespace yanrt::cuda {

#if defined(YANRT_CUDA_SIM)
std::string built_device() { return "cuda-sim"; }
#else
std::string built_device() { return "cuda"; }
#endif

}  // namespace yanrt::cuda
