// Weights as the GEMM kernels read them: [channels, taps, k padded to 16 bytes], converted once at load.
#pragma once

#include "backends/cuda/kernel.h"

namespace yanrt::cuda {

// Reads a stored weight of f32, bf16 or f8e4m3 (without its scale) as f32. Throws Error(unsupported) for other types.
class WeightReader {
 public:
  explicit WeightReader(const StoredTensor& tensor);
  float operator[](int64_t i) const;

 private:
  DType dtype_;
  const std::byte* data_;
};

// `type`: f32 (not padded), bf16, or f8e4m3. `scale` is one f32 a channel, or null where there is none.
struct WeightRows {
  const std::byte* data = nullptr;
  const float* scale = nullptr;
};
WeightRows pack_weight_rows(const Constant& weight, Weights& weights, DType type, int64_t channels, int64_t taps,
                            int64_t k);

// The per-output-channel scales of a weight as stored, or null if it has none.
const float* stored_scales(const Constant& weight, Weights& weights);

}  // namespace yanrt::cuda
