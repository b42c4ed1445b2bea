// The CUDA backend as the layers above see it. Includes no CUDA header: builds without CUDA offer the same functions
// (no_cuda/), which say why they cannot.
#pragma once

#include <memory>
#include <string>

#include "runtime/backend.h"

namespace yanrt::cuda {

struct Options {
  int device = 0;                     // ordinal, as CUDA counts them
  std::string architecture = "auto";  // or "sm_80" ...: kernels of another generation that this device can run
  // Where programs that keep no state (the decoder) run, in a lane of their own: a call's frames are decoded while the
  // next call is computed. It may be `device` too. -1: behind the other programs, in one graph with them.
  int decoder_device = -1;
  std::string cublaslt;  // path of a library that takes the products it can; "": own kernels alone
  bool graphs = true;    // false: every launch and copy by itself, for comparison alone
};

// "cuda" in a build for GPUs, "cuda-sim" in one whose kernels run in the simulator, "" in one without CUDA.
std::string built_device();

// Throws Error(unsupported) saying why there is none: built without CUDA, no driver, no device, device too old.
std::unique_ptr<Backend> make_backend(const Options& options);

}  // namespace yanrt::cuda
