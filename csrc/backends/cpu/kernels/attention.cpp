// attention: q [..., L, H, D], k and v [..., S, H, D], mask broadcastable to [..., H, L, S]. The workers share the
// blocks of queries of all heads; whoever comes to a new head packs its keys and values.
#include "backends/cpu/kernels/attention_core.h"

namespace yanrt::cpu {
namespace {

// Strides of an operand in the terms of the op: those of the leading dimensions, and named ones.
struct OperandStrides {
  DType type;
  Dims outer;
  int64_t row, head, element_bytes;

  explicit OperandStrides(const TensorDesc& desc)
      : type(desc.dtype),
        row(desc.strides[-3]),
        head(desc.strides[-2]),
        element_bytes(static_cast<int64_t>(size_of(desc.dtype))) {
    for (int i = 0; i + 3 < desc.shape.rank(); ++i) outer.push_back(desc.strides[i]);
  }
};

// Strides of the mask along [..., H, L, S]; 0 where it is broadcast.
Dims mask_strides(const TensorDesc& mask, int rank) {
  Dims strides;
  const int missing = rank - mask.shape.rank();
  for (int i = 0; i < rank; ++i)
    strides.push_back(i < missing || mask.shape[i - missing] == 1 ? 0 : mask.strides[i - missing]);
  return strides;
}

// The mask of a block of queries, query by query and key by key.
struct MaskBlock {
  const float* x;
  const Dims& strides;
  int64_t rows;
};

void fill_mask(const void* context, int64_t first, int64_t count, float* mask, int64_t columns, int32_t* mask_row) {
  const auto& [x, strides, rows] = *static_cast<const MaskBlock*>(context);
  for (int64_t key = 0; key < count; ++key) {
    mask_row[key] = static_cast<int32_t>(key);
    for (int64_t row = 0; row < rows; ++row)
      mask[key * columns + row] = x[row * strides[-2] + (first + key) * strides[-1]];
  }
}

class Attention final : public Kernel {
 public:
  explicit Attention(const KernelSpec& spec)
      : shape_(spec.inputs[0].shape),
        queries_(shape_[-3]),
        heads_(shape_[-2]),
        d_(shape_[-1]),
        keys_(spec.inputs[1].shape[-3]),
        q_(spec.inputs[0]),
        k_(spec.inputs[1]),
        v_(spec.inputs[2]),
        y_(spec.outputs[0]),
        core_(loops_for(spec.isa), {spec.compute, spec.inputs[0].dtype, spec.outputs[0].dtype}, d_, keys_,
              static_cast<float>(spec.op.attrs.real("scale")), spec.inputs.size() > 3 && spec.present[3]),
        causal_(spec.op.attrs.integer("causal") != 0),
        has_mask_(spec.inputs.size() > 3 && spec.present[3]),
        query_blocks_((queries_ + core_.block_rows() - 1) / core_.block_rows()) {
    int64_t outer = 1;
    for (int i = 0; i + 3 < shape_.rank(); ++i) outer *= shape_[i];
    blocks_ = outer * heads_ * query_blocks_;
    if (has_mask_) mask_ = mask_strides(spec.inputs[3], shape_.rank());
    variant_ = std::string("attention.") + std::string(name_of(spec.compute)) + "." + std::string(name_of(spec.isa));
  }

  void run(const KernelCall& call) const noexcept override;
  size_t scratch_bytes() const override { return core_.scratch_bytes(); }
  std::string_view variant() const override { return variant_; }
  int useful_workers() const override { return static_cast<int>(std::clamp<int64_t>(blocks_, 1, 1 << 30)); }

 private:
  // Elements from the start of an operand to entry `outer` of its leading dimensions.
  int64_t outer_offset(int64_t outer, const Dims& strides) const {
    int64_t offset = 0;
    for (int i = shape_.rank() - 4; i >= 0; --i) {
      offset += outer % shape_[i] * strides[i];
      outer /= shape_[i];
    }
    return offset;
  }
  template <class T>
  T* head_of(T* base, const OperandStrides& strides, int64_t outer, int64_t head) const {
    return base + (outer_offset(outer, strides.outer) + head * strides.head) * strides.element_bytes;
  }

  Dims shape_;  // of q
  int64_t queries_, heads_, d_, keys_;
  OperandStrides q_, k_, v_, y_;
  AttentionCore core_;
  bool causal_, has_mask_;
  Dims mask_;
  int64_t query_blocks_;  // of a head
  int64_t blocks_ = 0;    // of all heads
  std::string variant_;
};

void Attention::run(const KernelCall& call) const noexcept {
  const auto [begin, end] = share(blocks_, 1, call.worker, call.workers);
  const TileRegisters registers(core_.tile());
  int64_t packed_head = -1;
  for (int64_t block = begin; block < end; ++block) {
    const int64_t item = block / query_blocks_, outer = item / heads_, head = item % heads_;
    if (item != packed_head) {
      core_.pack(call.scratch, {k_.type, head_of(call.inputs[1], k_, outer, head), k_.row},
                 {v_.type, head_of(call.inputs[2], v_, outer, head), v_.row}, 0, keys_);
      core_.seal(call.scratch, keys_);
      packed_head = item;
    }
    const int64_t first = block % query_blocks_ * core_.block_rows();
    QueryBlock queries;
    queries.rows = std::min(core_.block_rows(), queries_ - first);
    for (int64_t row = 0; row < queries.rows; ++row) {
      queries.q[row] = head_of(call.inputs[0], q_, outer, head) + (first + row) * q_.row * q_.element_bytes;
      queries.y[row] = head_of(call.outputs[0], y_, outer, head) + (first + row) * y_.row * y_.element_bytes;
      queries.seen[row] = static_cast<int32_t>(causal_ ? first + row + keys_ - queries_ + 1 : keys_);
    }
    MaskBlock mask{nullptr, mask_, queries.rows};
    if (has_mask_) {
      mask.x = call.in<const float>(3) + outer_offset(outer, mask_) + head * mask_[-3] + first * mask_[-2];
      queries.fill_mask = fill_mask;
      queries.context = &mask;
    }
    core_.attend(call.scratch, queries, keys_);
  }
}

}  // namespace

std::unique_ptr<Kernel> make_attention(const KernelSpec& spec) { return std::make_unique<Attention>(spec); }

}  // namespace yanrt::cpu
