// A stand-in for libcublasLt with the functions that backends/cuda/cublaslt.cpp looks for. It is strict: what the real
// one would refuse, or take silently and compute something else, is an error here.
#include <library_types.h>

#include <cstring>
#include <memory>

#include "backends/cuda/cublaslt_api.h"
#include "testing/fake_cublaslt/product.h"

namespace {

using yanrt::cuda::lt::Algorithm;
using yanrt::cuda::lt::HeuristicResult;
namespace lt = yanrt::cuda::lt;

constexpr lt::Status kSuccess = 0, kInvalid = 7, kNotSupported = 15;
constexpr uint64_t kMagic = 0x59414e;  // of an algorithm that came from here

struct Layout {
  int type;
  uint64_t rows, columns;
  int64_t stride;
  size_t row_bytes() const {
    return static_cast<size_t>(stride) * (type == CUDA_R_32F ? 4 : type == CUDA_R_16BF ? 2 : 1);
  }
};
struct Desc {
  int compute_type, scale_type;
  int32_t transpose_a = 0;
};
struct Preference {
  uint64_t workspace_bytes = 0;
  uint32_t reduction_schemes = 7;
};

int live = 0;  // handles, layouts, descriptors, preferences

template <class T, class... Arguments>
lt::Status create(void** made, Arguments... arguments) {
  *made = new T{arguments...};
  ++live;
  return kSuccess;
}
template <class T>
lt::Status destroy(void* made) {
  delete static_cast<T*>(made);
  --live;
  return kSuccess;
}

bool aligned(const void* pointer) { return reinterpret_cast<uintptr_t>(pointer) % 16 == 0; }

// A^T B with A [k, n], B [k, m], D [n, m], rows of 16-byte multiples, FP8 in multiples of 16 each.
bool fits(const Desc& desc, const Layout& a, const Layout& b, const Layout& d) {
  const bool operands = a.type == b.type && (a.type == CUDA_R_16BF || a.type == CUDA_R_8F_E4M3) && d.type == CUDA_R_32F;
  const bool shapes = a.rows == b.rows && d.rows == a.columns && d.columns == b.columns;
  const bool strides = a.row_bytes() % 16 == 0 && b.row_bytes() % 16 == 0 && d.row_bytes() % 16 == 0;
  const bool whole = a.type != CUDA_R_8F_E4M3 || (a.rows % 16 == 0 && a.columns % 16 == 0);
  return desc.compute_type == lt::CUBLAS_COMPUTE_32F && desc.scale_type == CUDA_R_32F &&
         desc.transpose_a == lt::CUBLAS_OP_T && operands && shapes && strides && whole &&
         a.stride == static_cast<int64_t>(a.rows) && b.stride >= static_cast<int64_t>(b.rows);
}

}  // namespace

extern "C" {

int fake_cublaslt_live() { return live; }

lt::Status cublasLtCreate(void** handle) { return create<int>(handle, 0); }
lt::Status cublasLtDestroy(void* handle) { return destroy<int>(handle); }
lt::Status cublasLtMatmulDescCreate(void** desc, int compute_type, int scale_type) {
  return create<Desc>(desc, compute_type, scale_type);
}
lt::Status cublasLtMatmulDescDestroy(void* desc) { return destroy<Desc>(desc); }
lt::Status cublasLtMatmulDescSetAttribute(void* desc, int attribute, const void* value, size_t bytes) {
  if (attribute != lt::CUBLASLT_MATMUL_DESC_TRANSA || bytes != sizeof(int32_t)) return kInvalid;
  std::memcpy(&static_cast<Desc*>(desc)->transpose_a, value, bytes);
  return kSuccess;
}
lt::Status cublasLtMatrixLayoutCreate(void** layout, int type, uint64_t rows, uint64_t columns, int64_t stride) {
  return create<Layout>(layout, type, rows, columns, stride);
}
lt::Status cublasLtMatrixLayoutDestroy(void* layout) { return destroy<Layout>(layout); }
lt::Status cublasLtMatmulPreferenceCreate(void** preference) { return create<Preference>(preference); }
lt::Status cublasLtMatmulPreferenceDestroy(void* preference) { return destroy<Preference>(preference); }
lt::Status cublasLtMatmulPreferenceSetAttribute(void* preference, int attribute, const void* value, size_t bytes) {
  auto& p = *static_cast<Preference*>(preference);
  if (attribute == lt::CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES && bytes == sizeof(p.workspace_bytes))
    std::memcpy(&p.workspace_bytes, value, bytes);
  else if (attribute == lt::CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK && bytes == sizeof(p.reduction_schemes))
    std::memcpy(&p.reduction_schemes, value, bytes);
  else
    return kInvalid;
  return kSuccess;
}

// Has none for 48 columns, so that a test can see what happens then.
lt::Status cublasLtMatmulAlgoGetHeuristic(void*, void* desc, void* a, void* b, void*, void* d, void* preference,
                                          int wanted, HeuristicResult* results, int* found) {
  const auto& p = *static_cast<Preference*>(preference);
  const auto& layout = *static_cast<Layout*>(a);
  *found = 0;
  if (wanted < 1 || p.reduction_schemes != 0 || layout.columns == 48 ||
      !fits(*static_cast<Desc*>(desc), layout, *static_cast<Layout*>(b), *static_cast<Layout*>(d)))
    return kNotSupported;
  results[0] = {.algorithm = {{kMagic, p.workspace_bytes}},
                .workspace_bytes = p.workspace_bytes,
                .state = kSuccess,
                .waves = 1,
                .reserved = {}};
  *found = 1;
  return kSuccess;
}

lt::Status cublasLtMatmul(void*, void* desc, const void* alpha, const void* a, void* a_layout, const void* b,
                          void* b_layout, const void* beta, const void* c, void*, void* d, void* d_layout,
                          const Algorithm* algorithm, void* workspace, size_t workspace_bytes, cudaStream_t stream) {
  const auto &la = *static_cast<Layout*>(a_layout), &lb = *static_cast<Layout*>(b_layout);
  const bool plain = *static_cast<const float*>(alpha) == 1 && *static_cast<const float*>(beta) == 0 && c == d;
  if (!plain || algorithm->data[0] != kMagic || workspace_bytes < algorithm->data[1] || !workspace ||
      !fits(*static_cast<Desc*>(desc), la, lb, *static_cast<Layout*>(d_layout)) || !aligned(a) || !aligned(b) ||
      !aligned(d) || !aligned(workspace))
    return kInvalid;
  const yanrt::testing::Product product{.x = static_cast<const std::byte*>(b),
                                        .weight = static_cast<const std::byte*>(a),
                                        .y = static_cast<float*>(d),
                                        .m = lb.columns,
                                        .n = la.columns,
                                        .k = la.rows,
                                        .x_stride = static_cast<uint64_t>(lb.stride),
                                        .bf16 = la.type == CUDA_R_16BF};
  return yanrt::testing::launch_product(product, stream) == cudaSuccess ? kSuccess : kInvalid;
}

const char* cublasLtGetStatusString(lt::Status status) {
  return status == kInvalid ? "invalid value" : "not supported";
}

}  // extern "C"
