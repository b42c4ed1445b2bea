#include <algorithm>

#include "testing/cuda_sim/selftest/case.h"
#include "testing/cuda_sim/sim.h"

namespace yanrt::cuda_selftest {
namespace {

using namespace cuda_sim;

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text.empty() ? "silence" : text;
}

std::vector<std::string> findings(const Case& test) {
  Buffers b{};
  cudaMalloc(reinterpret_cast<void**>(&b.written), 4096);
  cudaMalloc(reinterpret_cast<void**>(&b.fresh), 1024);
  cudaStreamCreateWithFlags(&b.first, cudaStreamNonBlocking);
  cudaStreamCreateWithFlags(&b.second, cudaStreamNonBlocking);
  cudaMemset(b.written, 0, 4096);
  cudaDeviceSynchronize();
  take_reports();
  cudaError_t error = test.run(b);
  const cudaError_t at_end = cudaDeviceSynchronize();
  std::vector<std::string> got;
  for (const Report& report : take_reports()) got.push_back(report.kind);
  if (error == cudaSuccess) error = at_end;
  if (error != cudaSuccess) got.push_back("error " + std::to_string(static_cast<int>(error)));
  cudaStreamDestroy(b.first);
  cudaStreamDestroy(b.second);
  cudaFree(b.written);
  cudaFree(b.fresh);
  take_reports();
  return got;
}

bool as_expected(const Case& test, const std::vector<std::string>& got) {
  if (test.expected.empty()) return got.empty();
  return std::any_of(got.begin(), got.end(), [&](const std::string& kind) {
    return std::find(test.expected.begin(), test.expected.end(), kind) != test.expected.end();
  });
}

void run(const Case& test, std::vector<std::string>& lines) {
  constexpr const char* names[] = {"fifo", "lifo", "random"};
  for (const Order order : {Order::fifo, Order::lifo, Order::random}) {
    configure({.order = order, .arch = test.arch, .devices = 2});
    const std::vector<std::string> got = findings(test);
    lines.push_back((as_expected(test, got) ? "ok " : "FAIL ") + test.name + " [" + names[static_cast<int>(order)] +
                    "] | " + joined(test.expected) + " | " + joined(got));
  }
}

}  // namespace

std::vector<std::string> run_all() {
  std::vector<Case> cases;
  for (const auto add : {add_barrier_cases, add_warp_cases, add_memory_cases, add_async_copy_cases, add_limit_cases,
                         add_stream_cases, add_graph_cases})
    add(cases);
  const Options before = options();
  std::vector<std::string> lines;
  for (const Case& test : cases) run(test, lines);
  for (const std::string& line : check_mma_layouts()) lines.push_back(line);
  configure(before);
  return lines;
}

}  // namespace yanrt::cuda_selftest
