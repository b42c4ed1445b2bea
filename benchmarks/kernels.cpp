// How near the kernels come to what one core can do: for each case and precision the time, GFLOP/s and GB/s (operands
// and result, once each), and their shares of the ceilings measured in the same run. One thread, in its own processor
// time, so that a busy machine disturbs little: the best of many repetitions. Built with -DYANRT_TESTING=ON.
//
//   bench_kernels [isa] [part of a case's name]
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "backends/cpu/ceiling.h"
#include "backends/cpu/isa/loops.h"
#include "backends/cpu/kernel.h"
#include "core/error.h"
#include "core/ops.h"

namespace yanrt::cpu::bench {
namespace {

double processor_seconds() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

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

// An operand: narrowed as the dtype pass would, a constant weight, or always as given.
enum class Kind { narrow, weight, exact, absent };
struct Operand {
  Kind kind;
  Dims shape;
  DType dtype = DType::f32;
};
struct Case {
  std::string name, op;
  std::vector<Operand> inputs;
  Dims output;
  Attrs attrs;
  double flops;
};

Case linear(int64_t m, int64_t n, int64_t k, const std::string& act) {
  Case c{"linear " + std::to_string(m) + "x" + std::to_string(n) + "x" + std::to_string(k) + " " + act,
         "linear",
         {{Kind::narrow, {m, k}}, {Kind::weight, {n, k}}, {Kind::exact, {n}}, {Kind::absent, {}}, {Kind::absent, {}}},
         {m, n},
         {},
         2.0 * static_cast<double>(m * n * k)};
  c.attrs.set("act", act);
  c.attrs.set("gate_rows", int64_t{1});
  return c;
}

Case conv2d(int64_t height, int64_t width, int64_t in, int64_t out, int64_t kernel) {
  const int64_t pad = kernel / 2;
  Case c{"conv2d " + std::to_string(height) + "x" + std::to_string(width) + " " + std::to_string(in) + "->" +
             std::to_string(out) + " " + std::to_string(kernel) + "x" + std::to_string(kernel),
         "conv2d",
         {{Kind::narrow, {1, height, width, in}},
          {Kind::weight, {out, kernel, kernel, in}},
          {Kind::exact, {out}},
          {Kind::absent, {}}},
         {1, height, width, out},
         {},
         2.0 * static_cast<double>(height * width * in * out * kernel * kernel)};
  c.attrs.set("stride", std::vector<int64_t>{1, 1});
  c.attrs.set("dilation", std::vector<int64_t>{1, 1});
  c.attrs.set("padding", std::vector<int64_t>{pad, pad, pad, pad});
  c.attrs.set("groups", int64_t{1});
  c.attrs.set("act", std::string("silu"));
  return c;
}

// A full ring of `history` frames of `positions`, and a window of 4.
Case ring_attention(const std::string& scope, int64_t history, int64_t positions, int64_t heads, int64_t d) {
  constexpr int64_t kWindow = 4;
  const Dims window = {1, kWindow, positions, heads, d}, ring = {1, history + 1, positions, heads, d};
  const int64_t seen = (scope == "frame" ? positions : 1) * (kWindow * history + kWindow * (kWindow + 1) / 2);
  Case c{"ring_attention " + scope + " " + std::to_string(history) + "+4 x " + std::to_string(positions),
         "ring_attention",
         {{Kind::narrow, window},
          {Kind::narrow, window},
          {Kind::narrow, window},
          {Kind::narrow, ring},
          {Kind::narrow, ring},
          {Kind::exact, {1}, DType::i64},
          {Kind::exact, {1}, DType::i64},
          {Kind::absent, {}}},
         window,
         {},
         4.0 * static_cast<double>(positions * heads * d * seen)};
  c.attrs.set("scope", scope);
  c.attrs.set("history", history);
  c.attrs.set("commit", int64_t{1});
  c.attrs.set("scale", 0.125);
  return c;
}

std::vector<Case> all_cases() {
  return {linear(160, 768, 256, "none"),
          linear(160, 1024, 256, "gelu_tanh"),
          linear(160, 256, 1024, "none"),
          linear(40, 1536, 384, "gelu_tanh"),
          linear(256, 1536, 384, "none"),
          linear(8, 512, 256, "none"),
          linear(2040, 1152, 384, "none"),
          linear(960, 768, 3072, "none"),
          conv2d(20, 32, 96, 384, 3),
          conv2d(192, 320, 32, 32, 3),
          conv2d(192, 320, 64, 64, 1),
          ring_attention("frame", 12, 40, 4, 64),
          ring_attention("frame", 32, 40, 4, 64),
          ring_attention("position", 12, 40, 4, 64)};
}

// What a kernel is run with: its operands in memory, filled with numbers around zero.
class Bench {
 public:
  Bench(const Case& c, Isa isa, Precision precision) : node_{find_op(c.op), {}, {}, c.attrs, "bench"} {
    const DType compute = compute_type(precision);
    std::vector<TensorDesc> inputs;
    std::vector<Constant> constants;
    std::vector<uint8_t> present;
    for (const Operand& operand : c.inputs) {
      const bool rows = operand.kind == Kind::narrow && precision == Precision::int8 && c.op == "linear";
      const DType dtype = rows ? DType::i8 : operand.kind == Kind::narrow ? compute : operand.dtype;
      inputs.push_back(operand.kind == Kind::absent ? TensorDesc{} : TensorDesc::of(dtype, operand.shape));
      present.push_back(operand.kind != Kind::absent);
      memory_.push_back(std::make_unique<Buffer>(operand.kind == Kind::absent ? 0 : inputs.back().bytes()));
      fill(*memory_.back(), dtype);
      constants.emplace_back();
      if (operand.kind == Kind::weight) {
        weight_ = {.name = "weight",
                   .dtype = DType::f32,
                   .shape = operand.shape,
                   .data = {memory_.back()->data(), memory_.back()->size()},
                   .scale = {}};
        constants.back().tensor = &weight_;
      }
      if (operand.kind != Kind::absent) bytes_ += static_cast<double>(inputs.back().bytes());
    }
    const std::array outputs = {TensorDesc::of(compute, c.output)};
    bytes_ += static_cast<double>(outputs[0].bytes());
    kernel_ = find_kernel(c.op)({.op = node_,
                                 .inputs = inputs,
                                 .present = {reinterpret_cast<const bool*>(present.data()), present.size()},
                                 .constants = constants,
                                 .outputs = outputs,
                                 .compute = compute,
                                 .precision = precision,
                                 .isa = isa,
                                 .max_workers = 1,
                                 .weights = cache_});
    output_ = std::make_unique<Buffer>(outputs[0].bytes());
    scratch_ = std::make_unique<Buffer>(kernel_->scratch_bytes());
    for (size_t i = 0; i < memory_.size(); ++i) pointers_.push_back(present[i] ? memory_[i]->data() : nullptr);
    if (c.op == "ring_attention") *reinterpret_cast<int64_t*>(pointers_[5]) = 1000;  // the ring is full
  }

  double bytes() const { return bytes_; }
  double seconds(double flops) const {
    std::byte* y = output_->data();
    const KernelCall call{
        .inputs = pointers_.data(), .outputs = &y, .scratch = scratch_->data(), .worker = 0, .workers = 1};
    double best = 1e9;
    const int repetitions = std::clamp(static_cast<int>(4e9 / flops), 8, 300);
    for (int i = 0; i < repetitions; ++i) {
      const double start = processor_seconds();
      kernel_->run(call);
      best = std::min(best, processor_seconds() - start);
    }
    return best;
  }

 private:
  static void fill(const Buffer& buffer, DType dtype) {
    if (dtype == DType::f32)
      for (size_t i = 0; i < buffer.size() / 4; ++i)
        reinterpret_cast<float*>(buffer.data())[i] = 0.01f * static_cast<float>(i % 17) - 0.08f;
    if (dtype == DType::bf16)
      for (size_t i = 0; i < buffer.size() / 2; ++i)
        reinterpret_cast<uint16_t*>(buffer.data())[i] = static_cast<uint16_t>(0x3d00 + i % 64);
  }

  OpNode node_;
  StoredTensor weight_;
  Cache cache_;
  std::vector<std::unique_ptr<Buffer>> memory_;
  std::vector<std::byte*> pointers_;
  std::unique_ptr<Buffer> output_, scratch_;
  std::unique_ptr<Kernel> kernel_;
  double bytes_ = 0;
};

// Operations a second of the instruction that multiplies in `precision`.
double peak_of(const Ceiling& ceiling, Precision precision) {
  if (precision == Precision::fp32) return ceiling.f32_products;
  return precision == Precision::int8 ? ceiling.int8 : ceiling.bf16;
}

void run(Isa isa, std::string_view filter) {
  std::printf("isa %s, 1 thread\n%-36s %5s %9s %8s %8s %6s %7s %6s\n", std::string(name_of(isa)).c_str(), "", "", "us",
              "GFLOP/s", "peak", "share", "GB/s", "share");
  for (const Case& c : all_cases()) {
    if (c.name.find(filter) == std::string::npos) continue;
    const Ceiling ceiling = measure_ceiling(1);
    for (Precision precision : kPrecisions) {
      const bool is_gemm = c.op == "linear" || c.op == "conv2d";
      if (!is_gemm && precision > Precision::bf16) continue;  // they compute in bf16
      const Bench bench(c, isa, precision);
      const double seconds = bench.seconds(c.flops), peak = peak_of(ceiling, precision);
      const double flops = c.flops / seconds, bytes = bench.bytes() / seconds;
      std::printf("%-36s %5s %9.1f %8.1f %8.1f %5.0f%% %7.1f %5.0f%%\n", c.name.c_str(),
                  std::string(name_of(precision)).c_str(), 1e6 * seconds, flops / 1e9, peak / 1e9, 100 * flops / peak,
                  bytes / 1e9, 100 * bytes / ceiling.bytes);
    }
  }
}

}  // namespace
}  // namespace yanrt::cpu::bench

int main(int argc, char** argv) {
  using namespace yanrt::cpu;
  try {
    const Isa isa = parse_isa(argc > 1 ? argv[1] : "auto");
    if (isa == Isa::generic || isa > Isa::amx)
      throw yanrt::Error(yanrt::ErrorKind::unsupported, "no peak is known for isa '" + std::string(name_of(isa)) + "'");
    bench::run(isa, argc > 2 ? argv[2] : "");
  } catch (const yanrt::Error& error) {
    std::fprintf(stderr, "bench_kernels: %s\n", error.what());
    return EXIT_FAILURE;
  }
}
