// The part of cublasLt.h (CUDA 13) that is used. Declared here, since the header comes with a library of 540 MB that
// neither building nor playing needs; tests/cuda/test_cublaslt.py compares the values with the header where there is
// one.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

namespace yanrt::cuda::lt {

using Status = int;  // 0: success
inline constexpr int CUBLAS_COMPUTE_32F = 68;
inline constexpr int CUBLAS_OP_T = 1;
inline constexpr int CUBLASLT_MATMUL_DESC_TRANSA = 3;                 // int32_t
inline constexpr int CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES = 1;    // uint64_t
inline constexpr int CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK = 3;  // uint32_t

struct Algorithm {
  uint64_t data[8];
};
struct HeuristicResult {
  Algorithm algorithm;
  size_t workspace_bytes;
  Status state;
  float waves;
  int reserved[4];
};

// The functions by their own names. Handles, descriptors and layouts are opaque.
struct Functions {
  Status (*cublasLtCreate)(void** handle);
  Status (*cublasLtDestroy)(void* handle);
  Status (*cublasLtMatmulDescCreate)(void** desc, int compute_type, int scale_type);
  Status (*cublasLtMatmulDescSetAttribute)(void* desc, int attribute, const void* value, size_t bytes);
  Status (*cublasLtMatmulDescDestroy)(void* desc);
  Status (*cublasLtMatrixLayoutCreate)(void** layout, int type, uint64_t rows, uint64_t columns, int64_t stride);
  Status (*cublasLtMatrixLayoutDestroy)(void* layout);
  Status (*cublasLtMatmulPreferenceCreate)(void** preference);
  Status (*cublasLtMatmulPreferenceSetAttribute)(void* preference, int attribute, const void* value, size_t bytes);
  Status (*cublasLtMatmulPreferenceDestroy)(void* preference);
  Status (*cublasLtMatmulAlgoGetHeuristic)(void* handle, void* desc, void* a, void* b, void* c, void* d,
                                           void* preference, int wanted, HeuristicResult* results, int* found);
  Status (*cublasLtMatmul)(void* handle, void* desc, const void* alpha, const void* a, void* a_layout, const void* b,
                           void* b_layout, const void* beta, const void* c, void* c_layout, void* d, void* d_layout,
                           const Algorithm* algorithm, void* workspace, size_t workspace_bytes, cudaStream_t stream);
  const char* (*cublasLtGetStatusString)(Status status);
};

}  // namespace yanrt::cuda::lt
