// Scalar functions of f32, within a few units in the last place (docs/pointwise.md), for pointwise and for epilogues.
#pragma once

#include "backends/cuda/device/device.cuh"
#include "backends/cuda/kernels/activation.h"

namespace yanrt::cuda {

__device__ __forceinline__ float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }
__device__ __forceinline__ float silu(float x) { return x * sigmoid(x); }
__device__ __forceinline__ float relu(float x) { return x > 0.0f ? x : (x != x ? x : 0.0f); }
__device__ __forceinline__ float gelu(float x) { return 0.5f * x * (1.0f + erff(0.707106781f * x)); }
// x sigmoid(2 sqrt(2/pi) (x + 0.044715 x^3)) is 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))).
__device__ __forceinline__ float gelu_tanh(float x) { return x * sigmoid(1.59576912f * fmaf(0.044715f * x * x, x, x)); }

__device__ __forceinline__ float activate(Activation act, float x) {
  switch (act) {
    case Activation::none: return x;
    case Activation::gelu: return gelu(x);
    case Activation::gelu_tanh: return gelu_tanh(x);
    case Activation::silu: return silu(x);
    case Activation::relu: return relu(x);
  }
  return x;
}

}  // namespace yanrt::cuda
