// Element types of tensors, as the package, the plan and the kernels name them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace yanrt {

// i8 exists inside a plan alone: rows of codes offset by 128, each followed by its scale (core/tensor.h).
enum class DType : uint8_t { f32, bf16, f8e4m3, i64, i32, u8, boolean, i8 };

constexpr size_t size_of(DType dtype) {
  switch (dtype) {
    case DType::i64: return 8;
    case DType::f32:
    case DType::i32: return 4;
    case DType::bf16: return 2;
    case DType::f8e4m3:
    case DType::u8:
    case DType::i8:
    case DType::boolean: return 1;
  }
  return 0;
}

constexpr std::string_view name_of(DType dtype) {
  switch (dtype) {
    case DType::f32: return "f32";
    case DType::bf16: return "bf16";
    case DType::f8e4m3: return "f8e4m3";
    case DType::i64: return "i64";
    case DType::i32: return "i32";
    case DType::u8: return "u8";
    case DType::boolean: return "bool";
    case DType::i8: return "i8";
  }
  return "?";
}

constexpr bool is_floating(DType dtype) {
  return dtype == DType::f32 || dtype == DType::bf16 || dtype == DType::f8e4m3;
}

}  // namespace yanrt
