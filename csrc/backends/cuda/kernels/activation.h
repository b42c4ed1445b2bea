// Activations fused into GEMM, convolution and norm.
#pragma once

#include <cstdint>
#include <string_view>

namespace yanrt::cuda {

enum class Activation : uint8_t { none, gelu, gelu_tanh, silu, relu };

inline Activation parse_activation(std::string_view name) {
  if (name == "gelu") return Activation::gelu;
  if (name == "gelu_tanh") return Activation::gelu_tanh;
  if (name == "silu") return Activation::silu;
  if (name == "relu") return Activation::relu;
  return Activation::none;
}

}  // namespace yanrt::cuda
