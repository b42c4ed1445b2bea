// One case of the self-test: a tiny kernel or a few runtime calls with one fault, or the right twin that must stay
// silent.
#pragma once

#include <cuda_runtime_api.h>

#include <string>
#include <vector>

namespace yanrt::cuda_selftest {

// What a case works on: `written` is 4 KB of zeros, `fresh` 1 KB never written.
struct Buffers {
  float* written;
  float* fresh;
  cudaStream_t first, second;
};

struct Case {
  std::string name;
  std::vector<std::string> expected;  // any of these kinds of report, or "error N"; empty: silence
  cudaError_t (*run)(const Buffers& b);
  int arch = 89;
};

void add_barrier_cases(std::vector<Case>& cases);
void add_warp_cases(std::vector<Case>& cases);
void add_memory_cases(std::vector<Case>& cases);
void add_async_copy_cases(std::vector<Case>& cases);
void add_limit_cases(std::vector<Case>& cases);
void add_stream_cases(std::vector<Case>& cases);
void add_graph_cases(std::vector<Case>& cases);
// Number of wrong elements of one-hot products, against the strides published by CuTe; lines say which.
std::vector<std::string> check_mma_layouts();

// Every case in FIFO, LIFO and random order: a line each, "ok|FAIL <name> [order] | expected | got".
std::vector<std::string> run_all();

}  // namespace yanrt::cuda_selftest
