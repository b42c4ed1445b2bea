// y[..., :] = table[index[...], :]; an index outside the table is clamped.
#include <cstring>

#include "backends/cpu/kernels/strided.h"

namespace yanrt::cpu {
namespace {

class Gather final : public Kernel {
 public:
  explicit Gather(const KernelSpec& spec)
      : entries_(spec.inputs[0].shape[0]),
        row_bytes_(static_cast<size_t>(spec.inputs[0].shape[1]) * size_of(spec.inputs[0].dtype)),
        rows_(spec.inputs[1].numel()),
        grain_(std::max<int64_t>(1, kCopyGrain / std::max<int64_t>(spec.inputs[0].shape[1], 1))) {}

  void run(const KernelCall& call) const noexcept override {
    const auto [begin, end] = share(rows_, grain_, call.worker, call.workers);
    const int64_t* index = call.in<const int64_t>(1);
    for (int64_t row = begin; row < end; ++row) {
      const int64_t entry = std::clamp<int64_t>(index[row], 0, entries_ - 1);
      std::memcpy(call.outputs[0] + static_cast<size_t>(row) * row_bytes_,
                  call.inputs[0] + static_cast<size_t>(entry) * row_bytes_, row_bytes_);
    }
  }
  std::string_view variant() const override { return "gather"; }
  int useful_workers() const override { return workers_for(rows_, grain_); }

 private:
  int64_t entries_;
  size_t row_bytes_;
  int64_t rows_, grain_;
};

}  // namespace

std::unique_ptr<Kernel> make_gather(const KernelSpec& spec) { return std::make_unique<Gather>(spec); }

}  // namespace yanrt::cpu
