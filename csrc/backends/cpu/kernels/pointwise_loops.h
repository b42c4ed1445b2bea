// The loops of `pointwise`: one an instruction and kind, each a plain loop over a block, made from a function of one
// element.
#pragma once

#include "backends/cpu/isa/math64.h"
#include "backends/cpu/isa/simd.h"
#include "backends/cpu/kernels/pointwise_args.h"

namespace yanrt::cpu::YANRT_ISA {

// Y result, A, B, C arguments.
template <auto function, class Y, class A>
void map_1(void* y, const void* a, const void*, const void*, int64_t n) {
  auto* __restrict to = static_cast<Y*>(y);
  const auto* x = static_cast<const A*>(a);
  for (int64_t i = 0; i < n; ++i) to[i] = function(x[i]);
}
template <auto function, class Y, class A>
void map_2(void* y, const void* a, const void* b, const void*, int64_t n) {
  auto* __restrict to = static_cast<Y*>(y);
  const auto* x_1 = static_cast<const A*>(a);
  const auto* x_2 = static_cast<const A*>(b);
  for (int64_t i = 0; i < n; ++i) to[i] = function(x_1[i], x_2[i]);
}
template <auto function, class Y, class A, class B>
void map_3(void* y, const void* a, const void* b, const void* c, int64_t n) {
  auto* __restrict to = static_cast<Y*>(y);
  const auto* x_1 = static_cast<const A*>(a);
  const auto* x_2 = static_cast<const B*>(b);
  const auto* x_3 = static_cast<const B*>(c);
  for (int64_t i = 0; i < n; ++i) to[i] = function(x_1[i], x_2[i], x_3[i]);
}

// Integers wrap: computed without a sign.
YANRT_INLINE int64_t wrap(uint64_t x) { return static_cast<int64_t>(x); }
YANRT_INLINE int64_t floordiv(int64_t a, int64_t b) {
  if (b == 0) return 0;
  if (b == -1) return wrap(0 - static_cast<uint64_t>(a));  // the smallest integer has no counterpart
  return a / b - (a % b != 0 && (a < 0) != (b < 0));
}
YANRT_INLINE int64_t mod(int64_t a, int64_t b) {
  if (b == 0 || b == -1) return 0;
  const int64_t rest = a % b;
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}
YANRT_INLINE int64_t truncate(float x) {
  if (x >= 9223372036854775808.0f) return INT64_MAX;
  if (x <= -9223372036854775808.0f) return INT64_MIN;
  return x == x ? static_cast<int64_t>(x) : 0;
}

// Truncates; NaN gives 0.
YANRT_INLINE uint8_t saturate_to_u8(float x) {
  x = x > 0.0f ? x : 0.0f;
  x = x < 255.0f ? x : 255.0f;
  return static_cast<uint8_t>(static_cast<int32_t>(x));
}

// NaN wins, as in PyTorch. In this form g++ vectorises one of the other too.
YANRT_INLINE float min_of(float a, float b) {
  const float smaller = a < b ? a : b;
  return a == a ? smaller : a;
}
YANRT_INLINE float max_of(float a, float b) {
  const float larger = a > b ? a : b;
  return a == a ? larger : a;
}
YANRT_INLINE int64_t min_of(int64_t a, int64_t b) { return a < b ? a : b; }
YANRT_INLINE int64_t max_of(int64_t a, int64_t b) { return a > b ? a : b; }

template <class To, class From, class Convert>
void load_as(void* y, const void* x, int64_t stride, int64_t n, Convert convert) {
  auto* __restrict to = static_cast<To*>(y);
  const auto* from = static_cast<const From*>(x);
  if (stride == 1) {
    for (int64_t i = 0; i < n; ++i) to[i] = convert(from[i]);
  } else if (stride == 0) {
    const To value = convert(from[0]);
    for (int64_t i = 0; i < n; ++i) to[i] = value;
  } else {
    for (int64_t i = 0; i < n; ++i) to[i] = convert(from[i * stride]);
  }
}
template <class To, class From>
void load_plain(void* y, const void* x, int64_t stride, int64_t n) {
  load_as<To, From>(y, x, stride, n, [](From value) { return static_cast<To>(value); });
}
inline void load_bf16(void* y, const void* x, int64_t stride, int64_t n) {
  load_as<float, uint16_t>(y, x, stride, n, [](uint16_t value) { return from_bf16(value); });
}
inline void load_bool(void* y, const void* x, int64_t stride, int64_t n) {
  load_as<int64_t, uint8_t>(y, x, stride, n, [](uint8_t value) { return int64_t{value != 0}; });
}

template <auto function, class Y, class A>
void store_as(void* y, const void* a, int64_t n) {
  map_1<function, Y, A>(y, a, nullptr, nullptr, n);
}

constexpr void add_real_arithmetic(PointwiseLoops& t) {
  const auto at = [&t](PwOp op) -> PointwiseLoop& { return t.real[static_cast<int>(op)]; };
  at(PwOp::add) = map_2<[](float a, float b) { return a + b; }, float, float>;
  at(PwOp::sub) = map_2<[](float a, float b) { return a - b; }, float, float>;
  at(PwOp::mul) = map_2<[](float a, float b) { return a * b; }, float, float>;
  at(PwOp::div) = map_2<[](float a, float b) { return a / b; }, float, float>;
  at(PwOp::pow) = map_2<[](float a, float b) { return pow(a, b); }, float, float>;
  at(PwOp::min) = map_2<[](float a, float b) { return min_of(a, b); }, float, float>;
  at(PwOp::max) = map_2<[](float a, float b) { return max_of(a, b); }, float, float>;
  at(PwOp::floordiv) = map_2<[](float a, float b) { return floordiv(a, b); }, float, float>;
  at(PwOp::mod) = map_2<[](float a, float b) { return mod(a, b); }, float, float>;
  at(PwOp::clamp) =
      map_3<[](float x, float low, float high) { return min_of(max_of(x, low), high); }, float, float, float>;
  at(PwOp::where) = map_3<[](int64_t c, float a, float b) { return c != 0 ? a : b; }, float, int64_t, float>;
  at(PwOp::to_int) = map_1<[](float x) { return truncate(x); }, int64_t, float>;
}

constexpr void add_real_functions(PointwiseLoops& t) {
  const auto at = [&t](PwOp op) -> PointwiseLoop& { return t.real[static_cast<int>(op)]; };
  at(PwOp::neg) = map_1<[](float x) { return -x; }, float, float>;
  at(PwOp::abs) = map_1<[](float x) { return abs_of(x); }, float, float>;
  at(PwOp::exp) = map_1<[](float x) { return exp(x); }, float, float>;
  at(PwOp::log) = map_1<[](float x) { return log(x); }, float, float>;
  at(PwOp::sqrt) = map_1<[](float x) { return __builtin_sqrtf(x); }, float, float>;
  at(PwOp::rsqrt) = map_1<[](float x) { return 1.0f / __builtin_sqrtf(x); }, float, float>;
  at(PwOp::tanh) = map_1<[](float x) { return tanh(x); }, float, float>;
  at(PwOp::sigmoid) = map_1<[](float x) { return sigmoid(x); }, float, float>;
  at(PwOp::silu) = map_1<[](float x) { return silu(x); }, float, float>;
  at(PwOp::gelu) = map_1<[](float x) { return gelu(x); }, float, float>;
  at(PwOp::gelu_tanh) = map_1<[](float x) { return gelu_tanh(x); }, float, float>;
  at(PwOp::relu) = map_1<[](float x) { return relu(x); }, float, float>;
  at(PwOp::sin) = map_1<[](float x) { return sin(x); }, float, float>;
  at(PwOp::cos) = map_1<[](float x) { return cos(x); }, float, float>;
  at(PwOp::floor) = map_1<[](float x) { return floor(x); }, float, float>;
  at(PwOp::ceil) = map_1<[](float x) { return ceil(x); }, float, float>;
  at(PwOp::round) = map_1<[](float x) { return round(x); }, float, float>;
}

template <class T>
constexpr void add_comparisons(PointwiseLoop (&table)[kPwOps]) {
  const auto at = [&table](PwOp op) -> PointwiseLoop& { return table[static_cast<int>(op)]; };
  at(PwOp::eq) = map_2<[](T a, T b) { return int64_t{a == b}; }, int64_t, T>;
  at(PwOp::ne) = map_2<[](T a, T b) { return int64_t{a != b}; }, int64_t, T>;
  at(PwOp::lt) = map_2<[](T a, T b) { return int64_t{a < b}; }, int64_t, T>;
  at(PwOp::le) = map_2<[](T a, T b) { return int64_t{a <= b}; }, int64_t, T>;
  at(PwOp::gt) = map_2<[](T a, T b) { return int64_t{b < a}; }, int64_t, T>;
  at(PwOp::ge) = map_2<[](T a, T b) { return int64_t{b <= a}; }, int64_t, T>;
}

constexpr void add_integers(PointwiseLoops& t) {
  using I = int64_t;
  using U = uint64_t;
  const auto at = [&t](PwOp op) -> PointwiseLoop& { return t.integer[static_cast<int>(op)]; };
  at(PwOp::add) = map_2<[](U a, U b) { return wrap(a + b); }, I, U>;
  at(PwOp::sub) = map_2<[](U a, U b) { return wrap(a - b); }, I, U>;
  at(PwOp::mul) = map_2<[](U a, U b) { return wrap(a * b); }, I, U>;
  at(PwOp::min) = map_2<[](I a, I b) { return min_of(a, b); }, I, I>;
  at(PwOp::max) = map_2<[](I a, I b) { return max_of(a, b); }, I, I>;
  at(PwOp::neg) = map_1<[](U x) { return wrap(0 - x); }, I, U>;
  at(PwOp::abs) = map_1<[](I x) { return x < 0 ? wrap(0 - static_cast<U>(x)) : x; }, I, I>;
  at(PwOp::floordiv) = map_2<[](I a, I b) { return floordiv(a, b); }, I, I>;
  at(PwOp::mod) = map_2<[](I a, I b) { return mod(a, b); }, I, I>;
  at(PwOp::logical_and) = map_2<[](I a, I b) { return I{a != 0} & I{b != 0}; }, I, I>;
  at(PwOp::logical_or) = map_2<[](I a, I b) { return I{(a | b) != 0}; }, I, I>;
  at(PwOp::logical_not) = map_1<[](I x) { return I{x == 0}; }, I, I>;
  at(PwOp::where) = map_3<[](I c, I a, I b) { return c != 0 ? a : b; }, I, I, I>;
  at(PwOp::to_float) = map_1<[](I x) { return static_cast<float>(x); }, float, I>;
  at(PwOp::clamp) = map_3<[](I x, I low, I high) { return min_of(max_of(x, low), high); }, I, I, I>;
}

constexpr PointwiseLoops make_pointwise_loops() {
  PointwiseLoops t{};
  add_real_arithmetic(t);
  add_real_functions(t);
  add_comparisons<float>(t.real);
  add_comparisons<int64_t>(t.integer);
  add_integers(t);
  t.load_f32 = load_plain<float, float>;
  t.load_bf16 = load_bf16;
  t.load_i64 = load_plain<int64_t, int64_t>;
  t.load_i32 = load_plain<int64_t, int32_t>;
  t.load_u8 = load_plain<int64_t, uint8_t>;
  t.load_bool = load_bool;
  t.real_to_f32 = store_as<[](float x) { return x; }, float, float>;
  t.real_to_bf16 = store_as<[](float x) { return to_bf16(x); }, uint16_t, float>;
  t.real_to_u8 = store_as<[](float x) { return saturate_to_u8(x); }, uint8_t, float>;
  t.int_to_i64 = store_as<[](int64_t x) { return x; }, int64_t, int64_t>;
  t.int_to_i32 = store_as<[](int64_t x) { return static_cast<int32_t>(x); }, int32_t, int64_t>;
  t.int_to_u8 = store_as<[](int64_t x) { return static_cast<uint8_t>(x); }, uint8_t, int64_t>;
  t.int_to_bool = store_as<[](int64_t x) { return static_cast<uint8_t>(x != 0); }, uint8_t, int64_t>;
  return t;
}

inline constexpr PointwiseLoops kPointwiseLoops = make_pointwise_loops();

}  // namespace yanrt::cpu::YANRT_ISA
