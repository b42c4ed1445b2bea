#include "backends/cuda/cublaslt.h"

#include <dlfcn.h>
#include <library_types.h>

#include "core/error.h"

namespace yanrt::cuda {
namespace {

constexpr const char* kRemedy = "; pip install yanrt[cublas], or leave out gemm='cublaslt' for yanrt's own kernels";

template <class Function>
void find(void* library, const std::string& path, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  if (!function) throw Error(ErrorKind::unsupported, "'" + path + "' is no cuBLASLt: it lacks " + name + kRemedy);
}

}  // namespace

CublasLt::CublasLt(const std::string& path) : library_(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) {
  if (!library_) throw Error(ErrorKind::unsupported, std::string("cuBLASLt cannot be loaded: ") + dlerror() + kRemedy);
  try {
#define YANRT_FIND(name) find(library_, path, #name, functions_.name)
    YANRT_FIND(cublasLtCreate);
    YANRT_FIND(cublasLtDestroy);
    YANRT_FIND(cublasLtMatmulDescCreate);
    YANRT_FIND(cublasLtMatmulDescSetAttribute);
    YANRT_FIND(cublasLtMatmulDescDestroy);
    YANRT_FIND(cublasLtMatrixLayoutCreate);
    YANRT_FIND(cublasLtMatrixLayoutDestroy);
    YANRT_FIND(cublasLtMatmulPreferenceCreate);
    YANRT_FIND(cublasLtMatmulPreferenceSetAttribute);
    YANRT_FIND(cublasLtMatmulPreferenceDestroy);
    YANRT_FIND(cublasLtMatmulAlgoGetHeuristic);
    YANRT_FIND(cublasLtMatmul);
    YANRT_FIND(cublasLtGetStatusString);
#undef YANRT_FIND
    check(functions_.cublasLtCreate(&handle_), "cublasLtCreate");
  } catch (...) {
    dlclose(library_);
    throw;
  }
}

CublasLt::~CublasLt() {
  functions_.cublasLtDestroy(handle_);
  dlclose(library_);
}

void CublasLt::check(lt::Status status, const char* call) const {
  if (status != 0)
    throw Error(ErrorKind::unsupported, std::string(call) + " failed: " + functions_.cublasLtGetStatusString(status) +
                                            " (" + std::to_string(status) + ")" + kRemedy);
}

CublasLt::Product::Owned CublasLt::make(const char* call, lt::Status (*destroy)(void*),
                                        const std::function<lt::Status(void**)>& create) const {
  void* made = nullptr;
  check(create(&made), call);
  return {made, [destroy](void* handle) { destroy(handle); }};
}

std::unique_ptr<CublasLt::Product> CublasLt::plan(const Shape& shape) const {
  const lt::Functions& f = functions_;
  auto product = std::make_unique<Product>();
  product->library = this;
  // In the library's terms all matrices are column-major: y^T [n, m] = (weight^T)^T x^T.
  const int type = shape.type == DType::bf16 ? CUDA_R_16BF : CUDA_R_8F_E4M3;
  const auto layout = [&](int of, uint64_t rows, uint64_t columns, int64_t stride) {
    return make("cublasLtMatrixLayoutCreate", f.cublasLtMatrixLayoutDestroy,
                [&](void** made) { return f.cublasLtMatrixLayoutCreate(made, of, rows, columns, stride); });
  };
  product->weight_layout = layout(type, shape.k, shape.n, static_cast<int64_t>(shape.k));
  product->x_layout = layout(type, shape.k, shape.m, shape.x_stride);
  product->y_layout = layout(CUDA_R_32F, shape.n, shape.m, static_cast<int64_t>(shape.n));
  product->desc = make("cublasLtMatmulDescCreate", f.cublasLtMatmulDescDestroy, [&](void** made) {
    return f.cublasLtMatmulDescCreate(made, lt::CUBLAS_COMPUTE_32F, CUDA_R_32F);
  });
  const int32_t transposed = lt::CUBLAS_OP_T;
  check(f.cublasLtMatmulDescSetAttribute(product->desc.get(), lt::CUBLASLT_MATMUL_DESC_TRANSA, &transposed,
                                         sizeof(transposed)),
        "cublasLtMatmulDescSetAttribute");

  const auto preference =
      make("cublasLtMatmulPreferenceCreate", f.cublasLtMatmulPreferenceDestroy, f.cublasLtMatmulPreferenceCreate);
  const auto prefer = [&](int attribute, auto value) {
    check(f.cublasLtMatmulPreferenceSetAttribute(preference.get(), attribute, &value, sizeof(value)),
          "cublasLtMatmulPreferenceSetAttribute");
  };
  prefer(lt::CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, uint64_t{kWorkspaceBytes});
  prefer(lt::CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, uint32_t{0});  // no sums by atomics: the same bytes each time
  lt::HeuristicResult result{};
  int found = 0;
  const lt::Status status = f.cublasLtMatmulAlgoGetHeuristic(
      handle_, product->desc.get(), product->weight_layout.get(), product->x_layout.get(), product->y_layout.get(),
      product->y_layout.get(), preference.get(), 1, &result, &found);
  if (status != 0 || found == 0 || result.state != 0) return nullptr;
  product->algorithm = result.algorithm;
  return product;
}

void CublasLt::Product::launch(const std::byte* x, const std::byte* weight, float* y, std::byte* workspace,
                               cudaStream_t stream) const {
  const float one = 1.0f, zero = 0.0f;
  library->check(library->functions_.cublasLtMatmul(library->handle_, desc.get(), &one, weight, weight_layout.get(), x,
                                                    x_layout.get(), &zero, y, y_layout.get(), y, y_layout.get(),
                                                    &algorithm, workspace, kWorkspaceBytes, stream),
                 "cublasLtMatmul");
}

}  // namespace yanrt::cuda
