// cuBLASLt, found at run time: products by kernels that use what mma.sync does not reach (FP8 of sm_90 and sm_100).
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "backends/cuda/cublaslt_api.h"
#include "core/dtype.h"

namespace yanrt::cuda {

// The library with a handle on the current device.
class CublasLt {
 public:
  // Throws Error(unsupported) if `path` cannot be loaded, lacks a function, or refuses the device.
  explicit CublasLt(const std::string& path);
  ~CublasLt();
  CublasLt(const CublasLt&) = delete;
  CublasLt& operator=(const CublasLt&) = delete;

  static constexpr size_t kWorkspaceBytes = size_t{32} << 20;  // as NVIDIA recommends for sm_90

  // y = x weight^T: x [m, k] with rows `x_stride` apart, weight [n, k], both of `type` (bf16 or f8e4m3), y f32 [m, n],
  // all dense but x and 16-byte aligned. `k`, `n` and `x_stride` are multiples of 16 bytes.
  struct Shape {
    DType type;
    uint64_t m, n, k;
    int64_t x_stride;
  };
  // A product with the algorithm chosen for it, once; its launches may be captured. Outlived by the library.
  class Product {
   public:
    void launch(const std::byte* x, const std::byte* weight, float* y, std::byte* workspace, cudaStream_t stream) const;

   private:
    friend class CublasLt;
    using Owned = std::unique_ptr<void, std::function<void(void*)>>;
    const CublasLt* library = nullptr;
    Owned desc, weight_layout, x_layout, y_layout;
    lt::Algorithm algorithm{};
  };
  // Null if the library has no algorithm for the shape on this device.
  std::unique_ptr<Product> plan(const Shape& shape) const;

 private:
  void check(lt::Status status, const char* call) const;
  // What `create`, called with a place for the handle, makes.
  Product::Owned make(const char* call, lt::Status (*destroy)(void*),
                      const std::function<lt::Status(void**)>& create) const;

  void* library_ = nullptr;
  lt::Functions functions_{};
  void* handle_ = nullptr;
};

}  // namespace yanrt::cuda
