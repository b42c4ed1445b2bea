// Runs every case in FIFO, LIFO and random order and prints a line each: "ok|FAIL <name> | expected | got".
// Exit status 1 if any is not as expected.
#include <algorithm>
#include <cstdio>

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

int run(const Case& test) {
  constexpr const char* names[] = {"fifo", "lifo", "random"};
  int wrong = 0;
  for (const Order order : {Order::fifo, Order::lifo, Order::random}) {
    configure({.order = order, .arch = test.arch, .devices = 2});
    const std::vector<std::string> got = findings(test);
    const bool right = as_expected(test, got);
    std::printf("%s %s [%s] | %s | %s\n", right ? "ok" : "FAIL", test.name.c_str(), names[static_cast<int>(order)],
                joined(test.expected).c_str(), joined(got).c_str());
    wrong += !right;
  }
  return wrong;
}

}  // namespace
}  // namespace yanrt::cuda_selftest

int main() {
  using namespace yanrt::cuda_selftest;
  std::vector<Case> cases;
  for (const auto add : {add_barrier_cases, add_warp_cases, add_memory_cases, add_async_copy_cases, add_limit_cases,
                         add_stream_cases, add_graph_cases})
    add(cases);
  int wrong = 0;
  for (const Case& test : cases) wrong += run(test);
  for (const std::string& line : check_mma_layouts()) {
    std::printf("%s\n", line.c_str());
    wrong += line.rfind("FAIL", 0) == 0;
  }
  return wrong != 0;
}
