// Tensor-core steps and the loads of their fragments, for a whole warp. Layouts: PTX ISA, "Matrix Fragments for
// mma.m16n8k16 / m16n8k32", checked against the strides that CuTe publishes by the self-test.
#pragma once

#include "testing/cuda_sim/collective.h"

namespace yanrt::cuda_sim {

struct MmaInput {
  uint32_t a[4], b[2];
  float c[4];
};
void compute_mma_bf16(Collective& collective);
void compute_mma_f16(Collective& collective);
void compute_mma_e4m3(Collective& collective);

struct LdmatrixInput {
  const std::byte* row;
  uint64_t pc;
};
void compute_ldmatrix(Collective& collective);
void compute_ldmatrix_trans(Collective& collective);

}  // namespace yanrt::cuda_sim
