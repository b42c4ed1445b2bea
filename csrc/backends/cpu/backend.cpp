#include "backends/cpu/backend.h"

#include <algorithm>
#include <cstring>

#include "backends/cpu/executor.h"
#include "core/error.h"
#include "program/stored_tensor.h"
#include "runtime/host_sequence.h"

namespace yanrt::cpu {
namespace {

class HostMemory final : public Memory {
 public:
  explicit HostMemory(size_t bytes) : buffer_(bytes) {}
  std::byte* data() const override { return buffer_.data(); }
  size_t size() const override { return buffer_.size(); }
  // std::memcpy takes no null pointer, not even for 0 bytes.
  void read(size_t offset, std::span<std::byte> to) const override {
    if (!to.empty()) std::memcpy(to.data(), data() + offset, to.size());
  }
  void write(size_t offset, std::span<const std::byte> from) override {
    if (!from.empty()) std::memcpy(data() + offset, from.data(), from.size());
  }
  void copy_from(const Memory& other) override { std::memcpy(data(), other.data(), size()); }
  void clear() override { std::memset(data(), 0, size()); }

 private:
  Buffer buffer_;
};

// What a kernel reads of a tensor that it does not pack: the file itself if it holds the right type at an aligned
// address, else a converted copy.
const std::byte* constant_data(const Operand& operand, const Package& package, WeightCache& weights) {
  const StoredTensor& tensor = *operand.tensor;
  const auto address = reinterpret_cast<uintptr_t>(tensor.data.data());
  if (tensor.dtype == operand.desc.dtype && address % size_of(tensor.dtype) == 0) return tensor.data.data();
  const size_t bytes = static_cast<size_t>(tensor.shape.numel()) * size_of(operand.desc.dtype);
  return weights.get(tensor.name, "dense", bytes, [&](std::byte* out) { read_tensor(package, tensor, out); });
}

std::unique_ptr<Kernel> make_kernel(const PlannedOp& op, const Package& package, Precision precision, Isa isa,
                                    int workers, WeightCache& weights) {
  const KernelFactory factory = find_kernel(op.node->def->name);
  if (!factory)
    throw Error(ErrorKind::unsupported, "op '" + std::string(op.node->def->name) + "' (" + op.node->source +
                                            ") has no CPU kernel in this build");
  const OpOperands operands(op, package);
  return factory({.op = *op.node,
                  .inputs = operands.inputs,
                  .present = operands.present(),
                  .constants = operands.constants,
                  .outputs = operands.outputs,
                  .store = op.store ? &*op.store : nullptr,
                  .compute = compute_type(precision),
                  .precision = precision,
                  .isa = isa,
                  .max_workers = workers,
                  .weights = weights});
}

}  // namespace

const std::byte* PackedWeights::get(const std::string& tensor, const std::string& form, size_t bytes,
                                    const std::function<void(std::byte*)>& fill) {
  const auto [it, is_new] = packed_.try_emplace({tensor, form});
  if (is_new) {
    bytes_ += align_up(bytes);
    if (!count_only_) {
      it->second = take(align_up(bytes));
      fill(it->second);
    }
  }
  return it->second;
}

// Memory of the last arena, or of a new one.
std::byte* PackedWeights::take(size_t bytes) {
  if (arenas_.empty() || used_ + bytes > arenas_.back()->size()) {
    arenas_.push_back(std::make_unique<Buffer>(std::max(bytes, kArena)));
    used_ = 0;
  }
  std::byte* start = arenas_.back()->data() + used_;
  used_ += bytes;
  return start;
}

CpuBackend::CpuBackend(const Options& options)
    : count_only_(options.count_only),
      op_by_op_(options.op_by_op),
      isa_(parse_isa(options.isa)),
      pool_(options.threads == 0 ? default_threads() : options.threads),
      weights_(options.count_only) {}

BackendInfo CpuBackend::info() const {
  return {.device = "cpu", .isa = std::string(name_of(isa_)), .threads = pool_.workers(), .ordinal = 0};
}

bool CpuBackend::takes_store(const PlannedOp& op) const {
  const std::string_view name = op.node->def->name;
  if (name == "linear") return true;
  if (name != "conv2d") return false;
  const int64_t groups = op.node->attrs.integer("groups");
  return groups == 1 || op.inputs[0].desc.shape[-1] != groups;  // a depthwise one has a kernel of its own
}

std::unique_ptr<Executable> CpuBackend::compile(const Plan& plan, const Package& package, Precision precision) {
  auto executable = std::make_unique<CpuExecutable>(*this, plan);
  for (const PlannedOp& op : plan.ops) {
    auto kernel = make_kernel(op, package, precision, isa_, pool_.workers(), weights_);
    scratch_per_worker_ = std::max(scratch_per_worker_, align_up(kernel->scratch_bytes()));
    std::vector<const std::byte*> constants;
    for (size_t i = 0; i < op.inputs.size(); ++i) {
      const bool read_in_place = op.inputs[i].arena == Arena::constant && op.node->def->input(i).role != Role::weight;
      constants.push_back(read_in_place ? constant_data(op.inputs[i], package, weights_) : nullptr);
    }
    executable->add(std::move(kernel), std::move(constants));
  }
  return executable;
}

std::unique_ptr<Memory> CpuBackend::allocate(size_t bytes) {
  if (count_only_) throw Error(ErrorKind::state, "this engine only counts memory; make one that can run");
  return std::make_unique<HostMemory>(bytes);
}

std::unique_ptr<Sequence> CpuBackend::record(const SequenceSpec& spec) { return make_host_sequence(spec); }

std::byte* CpuBackend::scratch() {
  if (!scratch_) scratch_ = std::make_unique<Buffer>(scratch_bytes());
  return scratch_->data();
}

}  // namespace yanrt::cpu
