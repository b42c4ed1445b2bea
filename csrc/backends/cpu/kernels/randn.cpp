// Philox normals (docs/randn.md). Baseline code on purpose: the same arithmetic, so the same bits, on every machine.
#include "backends/cpu/kernels/strided.h"
#include "core/philox.h"

namespace yanrt::cpu {
namespace {

constexpr int64_t kGroup = 4;    // normals of one Philox block
constexpr int64_t kGrain = 256;  // elements; a normal costs some 30 ns

class Randn final : public Kernel {
 public:
  explicit Randn(const KernelSpec& spec)
      : batch_(spec.outputs[0].shape[0]), count_(batch_ ? spec.outputs[0].numel() / batch_ : 0) {}

  void run(const KernelCall& call) const noexcept override {
    const auto [begin, end] = share(count_, kGrain, call.worker, call.workers);
    for (int64_t b = 0; b < batch_; ++b) {
      const auto seed = static_cast<uint64_t>(call.in<const int64_t>(0)[b]);
      const auto counter = static_cast<uint64_t>(call.in<const int64_t>(1)[b]);
      float* y = call.out<float>(0) + b * count_;
      for (int64_t e = begin; e < end; e += kGroup) {
        const std::array<float, 4> normals = philox_normals(seed, counter, static_cast<uint64_t>(e / kGroup));
        std::copy_n(normals.begin(), std::min(kGroup, end - e), y + e);
      }
    }
  }
  std::string_view variant() const override { return "randn"; }
  int useful_workers() const override { return workers_for(count_, kGrain); }

 private:
  int64_t batch_, count_;  // count_: normals an entry of the batch
};

}  // namespace

std::unique_ptr<Kernel> make_randn(const KernelSpec& spec) { return std::make_unique<Randn>(spec); }

}  // namespace yanrt::cpu
