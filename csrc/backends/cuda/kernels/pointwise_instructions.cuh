// One instruction of pointwise on one element; the twin of backends/cpu/kernels/pointwise_loops.h.
#pragma once

#include "backends/cuda/kernels/functions.cuh"
#include "program/pointwise_op.h"

namespace yanrt::cuda {

// Integers wrap: computed without a sign.
__device__ __forceinline__ int64_t wrap(uint64_t x) { return static_cast<int64_t>(x); }
__device__ __forceinline__ int64_t floordiv(int64_t a, int64_t b) {
  if (b == 0) return 0;
  if (b == -1) return wrap(0 - static_cast<uint64_t>(a));
  return a / b - (a % b != 0 && (a < 0) != (b < 0));
}
__device__ __forceinline__ int64_t mod(int64_t a, int64_t b) {
  if (b == 0 || b == -1) return 0;
  const int64_t rest = a % b;
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}
// In double, whose quotient of two floats rounds to the right side of an integer.
__device__ __forceinline__ float floordiv(float a, float b) {
  return static_cast<float>(floor(__ddiv_rn(static_cast<double>(a), static_cast<double>(b))));
}
__device__ __forceinline__ float mod(float a, float b) {
  const double n = floor(__ddiv_rn(static_cast<double>(a), static_cast<double>(b)));
  return static_cast<float>(__dsub_rn(static_cast<double>(a), __dmul_rn(n, static_cast<double>(b))));
}
__device__ __forceinline__ int64_t truncate(float x) {
  if (x >= 9223372036854775808.0f) return INT64_MAX;
  if (x <= -9223372036854775808.0f) return INT64_MIN;
  return x == x ? static_cast<int64_t>(x) : 0;
}
// NaN wins, as in PyTorch.
__device__ __forceinline__ float min_of(float a, float b) { return a < b || a != a ? a : b; }
__device__ __forceinline__ float max_of(float a, float b) { return a > b || a != a ? a : b; }
__device__ __forceinline__ int64_t min_of(int64_t a, int64_t b) { return a < b ? a : b; }
__device__ __forceinline__ int64_t max_of(int64_t a, int64_t b) { return a > b ? a : b; }

// float -> float. Unused arguments are 0.
__device__ __forceinline__ float real_instruction(PwOp op, float a, float b, float c) {
  constexpr float kLargestAngle = 67108864.0f;
  switch (op) {
    case PwOp::add: return a + b;
    case PwOp::sub: return a - b;
    case PwOp::mul: return a * b;
    case PwOp::div: return a / b;
    case PwOp::min: return min_of(a, b);
    case PwOp::max: return max_of(a, b);
    case PwOp::neg: return -a;
    case PwOp::abs: return fabsf(a);
    case PwOp::pow: return powf(a, b);
    case PwOp::exp: return expf(a);
    case PwOp::log: return logf(a);
    case PwOp::sqrt: return sqrtf(a);
    case PwOp::rsqrt: return 1.0f / sqrtf(a);
    case PwOp::tanh: return tanhf(a);
    case PwOp::sigmoid: return sigmoid(a);
    case PwOp::silu: return silu(a);
    case PwOp::gelu: return gelu(a);
    case PwOp::gelu_tanh: return gelu_tanh(a);
    case PwOp::relu: return relu(a);
    case PwOp::sin: return fabsf(a) < kLargestAngle ? sinf(a) : __uint_as_float(0x7fc00000u);
    case PwOp::cos: return fabsf(a) < kLargestAngle ? cosf(a) : __uint_as_float(0x7fc00000u);
    case PwOp::floor: return floorf(a);
    case PwOp::ceil: return ceilf(a);
    case PwOp::round: return rintf(a);
    case PwOp::floordiv: return floordiv(a, b);
    case PwOp::mod: return mod(a, b);
    case PwOp::clamp: return min_of(max_of(a, b), c);
    default: return 0.0f;
  }
}

// int -> int.
__device__ __forceinline__ int64_t integer_instruction(PwOp op, int64_t a, int64_t b, int64_t c) {
  const auto ua = static_cast<uint64_t>(a), ub = static_cast<uint64_t>(b);
  switch (op) {
    case PwOp::add: return wrap(ua + ub);
    case PwOp::sub: return wrap(ua - ub);
    case PwOp::mul: return wrap(ua * ub);
    case PwOp::min: return min_of(a, b);
    case PwOp::max: return max_of(a, b);
    case PwOp::neg: return wrap(0 - ua);
    case PwOp::abs: return a < 0 ? wrap(0 - ua) : a;
    case PwOp::floordiv: return floordiv(a, b);
    case PwOp::mod: return mod(a, b);
    case PwOp::logical_and: return static_cast<int64_t>(a != 0 && b != 0);
    case PwOp::logical_or: return static_cast<int64_t>((a | b) != 0);
    case PwOp::logical_not: return static_cast<int64_t>(a == 0);
    case PwOp::where: return a != 0 ? b : c;
    case PwOp::clamp: return min_of(max_of(a, b), c);
    default: return 0;
  }
}

constexpr __device__ bool is_comparison(PwOp op) { return op >= PwOp::eq && op <= PwOp::ge; }

template <class T>
__device__ __forceinline__ int64_t compare(PwOp op, T a, T b) {
  switch (op) {
    case PwOp::eq: return a == b;
    case PwOp::ne: return a != b;
    case PwOp::lt: return a < b;
    case PwOp::le: return a <= b;
    case PwOp::gt: return a > b;
    default: return a >= b;
  }
}

}  // namespace yanrt::cuda
