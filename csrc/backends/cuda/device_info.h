// What the choice of kernels depends on.
#pragma once

#include <cstddef>
#include <string>

namespace yanrt::cuda {

struct DeviceInfo {
  int ordinal = 0;
  std::string name;
  int sm = 0;  // compute capability times ten: 80, 86, 89, 90, 100, 120
  int multiprocessors = 0;
};

// Throws Error(unsupported) if there is no such device, or it is older than sm_80.
DeviceInfo query_device(int ordinal);

// FP8 tensor cores that mma.sync reaches. sm_90 and sm_100 have others, which it does not.
constexpr bool has_native_e4m3_mma(int sm) { return sm == 89 || sm >= 120; }

// An instruction from E4M3 to f16. Before, a widened product converts in software, for which its larger tile has too
// few registers.
constexpr bool has_e4m3_conversion(int sm) { return sm >= 89; }

// Makes a device current on this thread, for as long as this lives.
class DeviceScope {
 public:
  explicit DeviceScope(int ordinal);
  ~DeviceScope();
  DeviceScope(const DeviceScope&) = delete;
  DeviceScope& operator=(const DeviceScope&) = delete;

 private:
  int previous_ = -1;
};

}  // namespace yanrt::cuda
