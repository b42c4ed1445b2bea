// f32 as the sum of three bf16, the highest part first, for tiles that multiply bf16 (Henry, Tang and Heinecke,
// "Leveraging the bfloat16 AI datatype for higher-precision computations", 2019). The highest part is cut off, so that
// the largest numbers do not become infinity; the middle one is rounded to nearest, so that the lowest, and with it
// the error of products that are left out, is as often above zero as below. The three are exactly x, unless a part is
// smaller than 2^-126: the tile counts it as zero then. Infinity leaves NaN behind: what it meets becomes NaN.
#pragma once

#include "backends/cpu/isa/simd.h"
#include "backends/cpu/isa/vec_math.h"
#include "backends/cpu/kernels/gemm_args.h"

namespace yanrt::cpu::YANRT_ISA {

YANRT_INLINE Vec upper_half(Vec x) { return reinterpret_cast<Vec>(reinterpret_cast<VecBits>(x) & 0xffff0000u); }
YANRT_INLINE void store_upper_halves(uint16_t* to, Vec x, Vec next) {
  constexpr VecWords kOdd = {1,  3,  5,  7,  9,  11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31,
                             33, 35, 37, 39, 41, 43, 45, 47, 49, 51, 53, 55, 57, 59, 61, 63};
  const VecWords words = __builtin_shuffle(reinterpret_cast<VecWords>(x), reinterpret_cast<VecWords>(next), kOdd);
  __builtin_memcpy(to, &words, sizeof(words));
}
YANRT_INLINE Vec upper_half_to_nearest(Vec x) {
  return reinterpret_cast<Vec>((reinterpret_cast<VecBits>(x) + 0x8000u) & 0xffff0000u);
}

// Two registers of numbers become one of each part, `distance` elements apart.
YANRT_INLINE void split(Vec x, Vec next, uint16_t* to, int64_t distance) {
  store_upper_halves(to, x, next);
  x = x - upper_half(x), next = next - upper_half(next);
  const Vec mid = upper_half_to_nearest(x), next_mid = upper_half_to_nearest(next);
  store_upper_halves(to + distance, mid, next_mid);
  store_upper_halves(to + 2 * distance, x - mid, next - next_mid);
}

// A part that is subnormal would take the processor a hundred times as long as others. For as long as this lives they
// become zero at once, as in the tile.
class NoSubnormals {
 public:
  YANRT_INLINE NoSubnormals() : saved_(_mm_getcsr()) {
    constexpr unsigned kFlush = 0x8000, kReadAsZero = 0x40;
    _mm_setcsr(saved_ | kFlush | kReadAsZero);
    asm volatile("" ::: "memory");  // what is loaded and stored between is computed between
  }
  YANRT_INLINE ~NoSubnormals() {
    asm volatile("" ::: "memory");
    _mm_setcsr(saved_);
  }
  NoSubnormals(const NoSubnormals&) = delete;
  NoSubnormals& operator=(const NoSubnormals&) = delete;

 private:
  unsigned saved_;
};

inline constexpr int64_t kSplitStep = 32;  // numbers of a row whose parts stand together

YANRT_INLINE void split_row(const float* __restrict x, int64_t n, uint16_t* __restrict y) {
  int64_t i = 0;
  for (; i + kSplitStep <= n; i += kSplitStep) split(load(x + i), load(x + i + kLanes), y + 3 * i, kSplitStep);
  if (i == n) return;
  float last[kSplitStep] = {};
  __builtin_memcpy(last, x + i, static_cast<size_t>(n - i) * sizeof(float));
  split(load(last), load(last + kLanes), y + 3 * i, kSplitStep);
}

// TileLoop::split
inline void split_rows(const float* x, int64_t x_stride, int64_t rows, int64_t n, uint16_t* y, int64_t y_stride) {
  const NoSubnormals guard;
  for (int64_t row = 0; row < rows; ++row) split_row(x + row * x_stride, n, y + 3 * row * y_stride);
}

// TileLoop::expand, of panels of `kColumns`: what a step of the tile reads of each part stands together.
template <int kColumns>
void split_panel(const void* stored, void* panel, int64_t n) {
  const NoSubnormals guard;
  constexpr int64_t kPart = kSplitStep * kColumns;
  const auto* __restrict x = static_cast<const float*>(stored);
  auto* __restrict y = static_cast<uint16_t*>(panel);
  for (const float* end = x + n; x < end; x += kPart, y += 3 * kPart)
    for (int64_t i = 0; i < kPart; i += 2 * kLanes) split(load(x + i), load(x + i + kLanes), y + i, kPart);
}

// kLanes neighbouring columns of x, [n][kColumns], become rows of split_rows, `stride` words apart; n is a multiple of
// its step.
template <int kColumns>
YANRT_INLINE void split_columns(const float* x, int64_t n, uint16_t* y, int64_t stride) {
  static_assert(2 * kLanes == kSplitStep);
  for (int64_t i = 0; i < n; i += kSplitStep) {
    VecInt first[kLanes], second[kLanes];
    for (int j = 0; j < kLanes; ++j) first[j] = load_int(x + (i + j) * kColumns);
    transpose(first);
    for (int j = 0; j < kLanes; ++j) second[j] = load_int(x + (i + kLanes + j) * kColumns);
    transpose(second);
    for (int j = 0; j < kLanes; ++j)
      split(reinterpret_cast<Vec>(first[j]), reinterpret_cast<Vec>(second[j]), y + j * stride + 3 * i, kSplitStep);
  }
}

}  // namespace yanrt::cpu::YANRT_ISA
