// A chain of pointwise instructions as the kernel interprets it (docs/pointwise.md).
//
// An interpreter, not code made at load: a compiler at run time (NVRTC) would add 90 MB and seconds to a start, and a
// chain is bound by memory. All threads of the grid follow the same instruction, each over kPwVector elements, so that
// decoding costs a few issue slots an element. Registers lie in shared memory, in the order that has no bank conflicts.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

#include "core/dtype.h"
#include "core/shape.h"
#include "program/pointwise_op.h"

namespace yanrt::cuda {

inline constexpr int kMaxPwInputs = 16;
inline constexpr int kMaxPwSteps = 128;
inline constexpr int kPwThreads = 128;
inline constexpr uint16_t kPwLiteral = 0x8000;  // an argument with this bit is a literal, else a register

struct PwStep {
  PwOp op;
  PwKind kind;  // of its last argument
  uint16_t y;
  uint16_t args[3];
};

// Broadcast to the output: `shape` is the output's as this operand sees it, neighbours merged.
struct PwInput {
  DType dtype;
  int rank;
  uint32_t shape[kMaxRank];
  int64_t strides[kMaxRank];
};

// Lies in device memory. Input i is loaded to register i.
struct PwProgram {
  int inputs, steps;
  DType output;
  PwKind result;
  PwInput input[kMaxPwInputs];
  PwStep step[kMaxPwSteps];
  uint64_t literals[3 * kMaxPwSteps];  // the bits of an f32 or i64
};

struct PointwiseArgs {
  const PwProgram* program;
  const std::byte* inputs[kMaxPwInputs];
  std::byte* y;
  uint32_t numel;
};

// Elements a thread and its registers' bytes of shared memory, for a program of `registers`.
int pointwise_vector(int registers);
cudaError_t launch_pointwise(int registers, const PointwiseArgs& args, cudaStream_t stream);

}  // namespace yanrt::cuda
