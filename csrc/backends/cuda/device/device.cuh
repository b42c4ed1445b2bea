// The one header that a kernel source includes. Under nvcc it is thin inline PTX; under a host compiler
// (YANRT_CUDA=SIM) the same names come from the simulator in testing/cuda_sim. This folder includes nothing else of the
// project.
//
// Rules for .cu files, so that one source is valid CUDA and valid C++20:
//   * launch with launch(kernel, {...}, args...), never <<<>>>;
//   * shared memory only through YANRT_SHARED and YANRT_DYNAMIC_SHARED;
//   * tensor cores, cp.async, ldmatrix and accesses wider than a word only through the wrappers below (a host compiler
//     may split a struct copy, and the simulator would see neither its width nor its alignment);
//   * what changes from frame to frame comes from device memory, never by value through a captured launch;
//   * no #if __CUDA_ARCH__ outside this folder: what differs by architecture is a template parameter, so that every
//     path can run in the simulator and on any newer chip.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_fp8.h>

#include <cstddef>
#include <cstdint>

#if defined(__CUDACC__)
#include "backends/cuda/device/launch.cuh"
#include "backends/cuda/device/ptx.cuh"
#else
#include "testing/cuda_sim/device/device.h"
#endif

// What follows is built on the wrappers, the same for both.
#include "backends/cuda/device/convert.cuh"
#include "backends/cuda/device/mma.cuh"
#include "backends/cuda/device/warp.cuh"
