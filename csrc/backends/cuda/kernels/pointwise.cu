#include "backends/cuda/kernels/grid.h"
#include "backends/cuda/kernels/pointwise.h"
#include "backends/cuda/kernels/pointwise_instructions.cuh"

namespace yanrt::cuda {
namespace {

// The registers of one thread. A value is two words; word w of element e of register r is words[(2 (r n + e) + w) * T].
template <int kVector>
class Registers {
 public:
  __device__ Registers(unsigned char* shared, const uint64_t* literals)
      : words_(reinterpret_cast<uint32_t*>(shared) + threadIdx.x), literals_(literals) {}

  __device__ float real(uint16_t arg, int e) const {
    return __uint_as_float(arg & kPwLiteral ? static_cast<uint32_t>(literals_[arg & ~kPwLiteral]) : word(arg, e, 0));
  }
  __device__ int64_t integer(uint16_t arg, int e) const {
    if (arg & kPwLiteral) return static_cast<int64_t>(literals_[arg & ~kPwLiteral]);
    return static_cast<int64_t>(word(arg, e, 0) | static_cast<uint64_t>(word(arg, e, 1)) << 32);
  }
  __device__ void set(uint16_t y, int e, float value) { word(y, e, 0) = __float_as_uint(value); }
  __device__ void set(uint16_t y, int e, int64_t value) {
    word(y, e, 0) = static_cast<uint32_t>(value);
    word(y, e, 1) = static_cast<uint32_t>(static_cast<uint64_t>(value) >> 32);
  }

 private:
  __device__ uint32_t& word(uint16_t r, int e, int w) const { return words_[(2 * (r * kVector + e) + w) * kPwThreads]; }

  uint32_t* words_;
  const uint64_t* literals_;
};

__device__ __forceinline__ int64_t offset_of(const PwInput& input, uint32_t index) {
  int64_t offset = 0;
  for (int i = input.rank - 1; i >= 0; --i) {
    offset += index % input.shape[i] * input.strides[i];
    index /= input.shape[i];
  }
  return offset;
}

template <class Registers>
__device__ void load(Registers& registers, uint16_t y, int e, DType dtype, const std::byte* x, int64_t at) {
  switch (dtype) {
    case DType::f32: registers.set(y, e, reinterpret_cast<const float*>(x)[at]); break;
    case DType::bf16: registers.set(y, e, bf16_to_float(reinterpret_cast<const uint16_t*>(x)[at])); break;
    case DType::f8e4m3: registers.set(y, e, e4m3_to_float(reinterpret_cast<const uint8_t*>(x)[at])); break;
    case DType::i64: registers.set(y, e, reinterpret_cast<const int64_t*>(x)[at]); break;
    case DType::i32: registers.set(y, e, int64_t{reinterpret_cast<const int32_t*>(x)[at]}); break;
    case DType::u8: registers.set(y, e, int64_t{reinterpret_cast<const uint8_t*>(x)[at]}); break;
    case DType::boolean: registers.set(y, e, int64_t{reinterpret_cast<const uint8_t*>(x)[at] != 0}); break;
    case DType::i8: break;  // the CPU's alone
  }
}

// Truncates; NaN gives 0.
__device__ __forceinline__ uint8_t saturate_to_u8(float x) {
  x = x > 0.0f ? x : 0.0f;
  return static_cast<uint8_t>(static_cast<int>(x < 255.0f ? x : 255.0f));
}

template <class Registers>
__device__ void store(const Registers& registers, uint16_t result, int e, DType dtype, PwKind kind, std::byte* y,
                      uint32_t at) {
  switch (dtype) {
    case DType::f32: reinterpret_cast<float*>(y)[at] = registers.real(result, e); break;
    case DType::bf16: reinterpret_cast<__nv_bfloat16*>(y)[at] = __float2bfloat16_rn(registers.real(result, e)); break;
    case DType::f8e4m3: reinterpret_cast<uint8_t*>(y)[at] = float_to_e4m3(registers.real(result, e)); break;
    case DType::i64: reinterpret_cast<int64_t*>(y)[at] = registers.integer(result, e); break;
    case DType::i32: reinterpret_cast<int32_t*>(y)[at] = static_cast<int32_t>(registers.integer(result, e)); break;
    case DType::u8:
      reinterpret_cast<uint8_t*>(y)[at] = kind == PwKind::real ? saturate_to_u8(registers.real(result, e))
                                                               : static_cast<uint8_t>(registers.integer(result, e));
      break;
    case DType::boolean: reinterpret_cast<uint8_t*>(y)[at] = registers.integer(result, e) != 0; break;
    case DType::i8: break;
  }
}

// Arguments that an instruction does not have name register or literal 0 of its kind, which are always readable.
template <class Registers>
__device__ void execute(Registers& registers, const PwStep& step, int e) {
  const uint16_t a = step.args[0], b = step.args[1], c = step.args[2];
  if (step.op == PwOp::to_float) {
    registers.set(step.y, e, static_cast<float>(registers.integer(a, e)));
  } else if (step.op == PwOp::to_int) {
    registers.set(step.y, e, truncate(registers.real(a, e)));
  } else if (step.kind == PwKind::integer) {
    const int64_t x = registers.integer(a, e), y = registers.integer(b, e);
    registers.set(
        step.y, e,
        is_comparison(step.op) ? compare(step.op, x, y) : integer_instruction(step.op, x, y, registers.integer(c, e)));
  } else if (step.op == PwOp::where) {
    registers.set(step.y, e, registers.integer(a, e) != 0 ? registers.real(b, e) : registers.real(c, e));
  } else if (is_comparison(step.op)) {
    registers.set(step.y, e, compare(step.op, registers.real(a, e), registers.real(b, e)));
  } else {
    registers.set(step.y, e,
                  real_instruction(step.op, registers.real(a, e), registers.real(b, e), registers.real(c, e)));
  }
}

template <int kVector>
__global__ void __launch_bounds__(kPwThreads) pointwise_kernel(PointwiseArgs args) {
  YANRT_DYNAMIC_SHARED(shared);
  const PwProgram& program = *args.program;
  Registers<kVector> registers(shared, program.literals);
  const uint32_t first = blockIdx.x * (kPwThreads * kVector) + threadIdx.x;
  const auto index = [first](int e) { return first + static_cast<uint32_t>(e) * kPwThreads; };
  for (int i = 0; i < program.inputs; ++i)
#pragma unroll
    for (int e = 0; e < kVector; ++e)
      if (index(e) < args.numel)
        load(registers, static_cast<uint16_t>(i), e, program.input[i].dtype, args.inputs[i],
             offset_of(program.input[i], index(e)));
  for (int i = 0; i < program.steps; ++i) {
    const PwStep step = program.step[i];
#pragma unroll
    for (int e = 0; e < kVector; ++e)
      if (index(e) < args.numel) execute(registers, step, e);
  }
  const uint16_t result = program.step[program.steps - 1].y;
#pragma unroll
  for (int e = 0; e < kVector; ++e)
    if (index(e) < args.numel) store(registers, result, e, program.output, program.result, args.y, index(e));
}

constexpr size_t kPlainSharedBytes = 48 * 1024;
constexpr size_t register_bytes(int registers, int vector) {
  return static_cast<size_t>(registers) * static_cast<size_t>(vector) * kPwThreads * sizeof(uint64_t);
}

template <int kVector>
cudaError_t launch_vector(int registers, const PointwiseArgs& args, cudaStream_t stream) {
  return launch(pointwise_kernel<kVector>,
                {.grid = dim3(blocks_for(args.numel, kPwThreads * kVector)),
                 .block = dim3(kPwThreads),
                 .shared_bytes = register_bytes(registers, kVector),
                 .stream = stream},
                args);
}

}  // namespace

int pointwise_vector(int registers) {
  for (int vector : {4, 2, 1})
    if (register_bytes(registers, vector) <= kPlainSharedBytes) return vector;
  return 0;
}

cudaError_t launch_pointwise(int registers, const PointwiseArgs& args, cudaStream_t stream) {
  switch (pointwise_vector(registers)) {
    case 4: return launch_vector<4>(registers, args, stream);
    case 2: return launch_vector<2>(registers, args, stream);
    case 1: return launch_vector<1>(registers, args, stream);
    default: return cudaErrorInvalidValue;
  }
}

}  // namespace yanrt::cuda
