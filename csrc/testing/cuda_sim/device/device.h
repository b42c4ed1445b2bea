// What device/device.cuh includes under a host compiler: the CUDA language, its intrinsics, and the twins of
// launch.cuh and ptx.cuh.
#pragma once

#include "testing/cuda_sim/device/keywords.h"
// The order matters: keywords first.
#include "testing/cuda_sim/device/atomics.h"
#include "testing/cuda_sim/device/intrinsics.h"
#include "testing/cuda_sim/device/launch.h"
#include "testing/cuda_sim/device/ptx.h"
#include "testing/cuda_sim/device/sync.h"
