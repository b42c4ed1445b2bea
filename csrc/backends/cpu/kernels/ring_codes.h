// Rows of a K/V ring kept in E4M3, for loops that read bf16. What is still in the window is rounded as it will be in
// the ring: a frame weighs the same in both.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/dtype.h"

namespace yanrt::cpu {

// What the loops read of a ring: its own type, or bf16 (exact) in the place of codes.
constexpr DType read_type(DType ring_type) { return ring_type == DType::f8e4m3 ? DType::bf16 : ring_type; }

// n codes -> bf16.
void widen_codes(const std::byte* codes, std::byte* bf16, int64_t n) noexcept;
// n elements of f32 or bf16 -> codes, to nearest, saturated; NaN stays NaN.
void encode_row(const std::byte* x, DType type, std::byte* codes, int64_t n) noexcept;
// n elements of f32 or bf16 -> bf16, rounded as codes.
void round_row(const std::byte* x, DType type, std::byte* bf16, int64_t n) noexcept;

}  // namespace yanrt::cpu
