// How near `linear` comes to what one core can do: for each shape, the time of the kernel and the share of the
// multiply-add peak measured in the same run (a register-only loop). One thread, in its own processor time, so that a
// busy machine disturbs little: the best of many repetitions. Built with -DYANRT_TESTING=ON.
//
//   bench_gemm [isa] [MxNxK ...]
#include <immintrin.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "backends/cpu/isa/loops.h"
#include "backends/cpu/kernel.h"
#include "core/error.h"
#include "core/ops.h"

namespace yanrt::cpu {
namespace {

double processor_seconds() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

// ---- peaks: enough independent chains to fill the units
// ----------------------------------------------------------------
constexpr int kSteps = 50000;

__attribute__((target("avx2,fma"))) void chains_avx2() {
  __m256 sum[12] = {};
  const __m256 x = _mm256_set1_ps(0.999f);
  for (int i = 0; i < kSteps; ++i) {
#pragma GCC unroll 12
    for (int j = 0; j < 12; ++j) {
      sum[j] = _mm256_fmadd_ps(sum[j], x, x);
      asm volatile("" : "+v"(sum[j]));
    }
  }
}
__attribute__((target("avx512f"))) void chains_avx512() {
  __m512 sum[24] = {};
  const __m512 x = _mm512_set1_ps(0.999f);
  for (int i = 0; i < kSteps; ++i) {
#pragma GCC unroll 24
    for (int j = 0; j < 24; ++j) {
      sum[j] = _mm512_fmadd_ps(sum[j], x, x);
      asm volatile("" : "+v"(sum[j]));
    }
  }
}
__attribute__((target("avx512f,avx512bf16"))) void chains_bf16() {
  __m512 sum[24] = {};
  __m512i bits = _mm512_set1_epi32(0x3f003f00);
  for (int i = 0; i < kSteps; ++i) {
#pragma GCC unroll 24
    for (int j = 0; j < 24; ++j) {
      sum[j] = _mm512_dpbf16_ps(sum[j], reinterpret_cast<__m512bh>(bits), reinterpret_cast<__m512bh>(bits));
      asm volatile("" : "+v"(sum[j]));
    }
  }
}

// The instruction pair of int8 without VNNI: 16 products of 16 bits, summed in pairs, then added.
__attribute__((target("avx2"))) void chains_int16() {
  __m256i sum[12] = {};
  const __m256i x = _mm256_set1_epi16(3);
  for (int i = 0; i < kSteps; ++i) {
#pragma GCC unroll 12
    for (int j = 0; j < 12; ++j) {
      __m256i y = x;
      asm volatile("" : "+v"(y));
      sum[j] = _mm256_add_epi32(sum[j], _mm256_madd_epi16(y, x));
      asm volatile("" : "+v"(sum[j]));
    }
  }
}
__attribute__((target("avx512f,avx512vnni"))) void chains_vnni() {
  __m512i sum[24] = {};
  const __m512i x = _mm512_set1_epi32(0x01010101);
  for (int i = 0; i < kSteps; ++i) {
#pragma GCC unroll 24
    for (int j = 0; j < 24; ++j) {
      sum[j] = _mm512_dpbusd_epi32(sum[j], x, x);
      asm volatile("" : "+v"(sum[j]));
    }
  }
}

struct Chains {
  void (*run)();
  double products;  // a step
};
Chains chains_for(Isa isa, Precision precision) {
  const bool wide = isa >= Isa::avx512;
  if (precision == Precision::int8)
    return isa == Isa::avx512_vnni || isa == Isa::avx512_bf16 ? Chains{chains_vnni, 24 * 64}
                                                              : Chains{chains_int16, 12 * 16};
  if (isa == Isa::avx512_bf16 && precision != Precision::fp32) return {chains_bf16, 24 * 32};
  return wide ? Chains{chains_avx512, 24 * 16} : Chains{chains_avx2, 12 * 8};
}

// A product and its addition count as two operations.
double peak_flops(Isa isa, Precision precision) {
  const auto [run, products] = chains_for(isa, precision);
  const double work = 2.0 * kSteps * products;
  double best = 1e9;
  for (int i = 0; i < 20; ++i) {
    const double start = processor_seconds();
    run();
    best = std::min(best, processor_seconds() - start);
  }
  return work / best;
}

// ---- the kernel
// ----------------------------------------------------------------------------------------------------------
class Cache final : public WeightCache {
 public:
  const std::byte* get(const std::string&, const std::string& form, size_t bytes,
                       const std::function<void(std::byte*)>& fill) override {
    auto& buffer = buffers_[form];
    if (!buffer) {
      buffer = std::make_unique<Buffer>(bytes);
      fill(buffer->data());
    }
    return buffer->data();
  }

 private:
  std::map<std::string, std::unique_ptr<Buffer>> buffers_;
};

struct Shape {
  int64_t m, n, k;
};

// Seconds of one call of linear with a bias, x and y in the type the precision stores.
double time_linear(const Shape& shape, Isa isa, Precision precision) {
  const auto [m, n, k] = shape;
  const DType compute = compute_type(precision);
  std::vector<float> weight(static_cast<size_t>(n * k));
  for (size_t i = 0; i < weight.size(); ++i) weight[i] = 0.01f * static_cast<float>(i % 17) - 0.08f;
  const std::vector<float> bias(static_cast<size_t>(n), 1.0f);
  StoredTensor stored;
  stored.name = "weight";
  stored.shape = {n, k};
  stored.data = std::as_bytes(std::span(weight));
  OpNode node{.def = find_op("linear"), .inputs = {}, .outputs = {}, .attrs = {}, .source = "bench"};
  node.attrs.set("act", std::string("none"));
  node.attrs.set("gate_rows", int64_t{1});
  const DType stored_x = precision == Precision::int8 ? DType::i8 : compute;
  const std::array inputs = {TensorDesc::of(stored_x, {m, k}), TensorDesc::dense(DType::f32, {n, k}),
                             TensorDesc::dense(DType::f32, {n}), TensorDesc{}, TensorDesc{}};
  const std::array present = {true, true, true, false, false};
  std::array<Constant, 5> constants;
  constants[1].tensor = &stored;
  const std::array outputs = {TensorDesc::dense(compute, {m, n})};
  Cache cache;
  const auto kernel = find_kernel("linear")({.op = node,
                                             .inputs = inputs,
                                             .present = present,
                                             .constants = constants,
                                             .outputs = outputs,
                                             .compute = compute,
                                             .precision = precision,
                                             .isa = isa,
                                             .max_workers = 1,
                                             .weights = cache});
  const Buffer x(inputs[0].bytes()), y(outputs[0].bytes()), scratch(kernel->scratch_bytes());
  auto* bias_bytes = const_cast<std::byte*>(reinterpret_cast<const std::byte*>(bias.data()));
  const std::array<std::byte*, 5> in = {x.data(), nullptr, bias_bytes, nullptr, nullptr};
  const std::array<std::byte*, 1> out = {y.data()};
  const KernelCall call{
      .inputs = in.data(), .outputs = out.data(), .scratch = scratch.data(), .worker = 0, .workers = 1};
  double best = 1e9;
  const int repetitions = std::clamp(static_cast<int>(4e9 / (2.0 * static_cast<double>(m * n * k))), 10, 500);
  for (int i = 0; i < repetitions; ++i) {
    const double start = processor_seconds();
    kernel->run(call);
    best = std::min(best, processor_seconds() - start);
  }
  return best;
}

Shape parse_shape(std::string_view text) {
  std::array<int64_t, 3> extents{};
  const char *at = text.data(), *end = at + text.size();
  for (size_t i = 0; i < 3; ++i) {
    const auto [next, error] = std::from_chars(at, end, extents[i]);
    const bool separated = i == 2 ? next == end : next != end && *next == 'x';
    if (error != std::errc{} || extents[i] < 1 || !separated)
      throw Error(ErrorKind::argument, "shape '" + std::string(text) + "' is not MxNxK, such as 160x960x320");
    at = next + 1;
  }
  return {extents[0], extents[1], extents[2]};
}

void bench(Isa isa, const std::vector<Shape>& shapes) {
  std::printf("%-6s %16s %10s %10s %10s %6s\n", "", "M x N x K", "us", "GFLOP/s", "peak", "share");
  for (Precision precision : kPrecisions)
    for (const Shape& s : shapes) {
      const double before = peak_flops(isa, precision), seconds = time_linear(s, isa, precision);
      const double peak = std::max(before, peak_flops(isa, precision));
      const double flops = 2.0 * static_cast<double>(s.m * s.n * s.k) / seconds;
      const std::string shape = std::to_string(s.m) + "x" + std::to_string(s.n) + "x" + std::to_string(s.k);
      std::printf("%-6s %16s %10.1f %10.1f %10.1f %5.0f%%\n", std::string(name_of(precision)).c_str(), shape.c_str(),
                  1e6 * seconds, flops / 1e9, peak / 1e9, 100 * flops / peak);
    }
}

}  // namespace
}  // namespace yanrt::cpu

int main(int argc, char** argv) {
  using namespace yanrt::cpu;
  try {
    const Isa isa = parse_isa(argc > 1 ? argv[1] : "auto");
    if (isa == Isa::generic) throw yanrt::Error(yanrt::ErrorKind::unsupported, "no peak is known for isa 'generic'");
    std::vector<Shape> shapes;
    for (int i = 2; i < argc; ++i) shapes.push_back(parse_shape(argv[i]));
    if (shapes.empty())
      shapes = {{160, 960, 320}, {160, 1280, 320}, {160, 320, 1280}, {160, 320, 320}, {40, 960, 320}, {40, 1280, 320}};
    std::printf("linear, isa %s, 1 thread\n", std::string(name_of(isa)).c_str());
    bench(isa, shapes);
  } catch (const yanrt::Error& error) {
    std::fprintf(stderr, "bench_gemm: %s\n", error.what());
    return EXIT_FAILURE;
  }
}
