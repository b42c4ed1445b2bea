// The product of the fake cuBLASLt, a thread an element, in the simulator.
#include "backends/cuda/device/device.cuh"
#include "testing/fake_cublaslt/product.h"

namespace yanrt::testing {
namespace {

__device__ float operand(const std::byte* at, bool bf16, uint64_t i) {
  return bf16 ? cuda::bf16_to_float(reinterpret_cast<const uint16_t*>(at)[i])
              : cuda::e4m3_to_float(reinterpret_cast<const uint8_t*>(at)[i]);
}

__global__ void product_kernel(Product p) {
  const uint64_t index = static_cast<uint64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  const uint64_t row = index / p.n, column = index % p.n;
  if (row >= p.m) return;
  float sum = 0.0f;
  for (uint64_t k = 0; k < p.k; ++k)
    sum += operand(p.x, p.bf16, row * p.x_stride + k) * operand(p.weight, p.bf16, column * p.k + k);
  p.y[index] = sum;
}

}  // namespace

cudaError_t launch_product(const Product& p, cudaStream_t stream) {
  const auto blocks = static_cast<unsigned>((p.m * p.n + 127) / 128);
  return cuda::launch(product_kernel, {.grid = dim3(blocks), .block = dim3(128), .stream = stream}, p);
}

}  // namespace yanrt::testing
