#include "runtime/fuse_stores.h"

#include <algorithm>
#include <functional>
#include <vector>

namespace yanrt {
namespace {

struct Axis {
  int64_t extent, from, to;  // strides in the result and in the output
};

void append(Store::Axes& axes, const Axis& axis) {
  const int last = axes.shape.rank() - 1;
  if (last >= 0 && axes.strides[last] == axis.extent * axis.to) {
    axes.shape[last] *= axis.extent;
    axes.strides[last] = axis.to;
  } else {
    axes.shape.push_back(axis.extent);
    axes.strides.push_back(axis.to);
  }
}

// How `view`, of the whole of a dense result, is written densely; false if it does not show every element once, or if
// an axis of it runs through parts of rows.
bool place_elements(const TensorDesc& view, Store& store) {
  std::vector<Axis> axes;
  int64_t step = view.numel();
  for (int i = 0; i < view.shape.rank(); ++i) {
    step /= view.shape[i];
    if (view.shape[i] != 1) axes.push_back({view.shape[i], view.strides[i], step});
  }
  std::ranges::sort(axes, std::greater{}, &Axis::from);
  const int64_t width = store.result.shape[-1];
  int64_t expected = store.result.numel();
  store.rows = store.columns = {};
  for (const Axis& axis : axes) {
    if (expected != axis.extent * axis.from) return false;
    expected = axis.from;
    if (axis.from % width == 0) {
      append(store.rows, axis);
    } else if (axis.extent * axis.from <= width) {
      append(store.columns, axis);
    } else if (width % axis.from == 0 && axis.extent * axis.from % width == 0) {
      const int64_t inside = width / axis.from;
      append(store.rows, {axis.extent / inside, width, axis.to * inside});
      append(store.columns, {inside, axis.from, axis.to});
    } else {
      return false;
    }
  }
  return expected == 1;
}

bool keeps_order(const Store& store) {
  return store.rows.shape.rank() <= 1 && store.columns.shape.rank() <= 1 &&
         (store.rows.shape.rank() == 0 || store.rows.strides[0] == store.result.shape[-1]) &&
         (store.columns.shape.rank() == 0 || store.columns.strides[0] == 1);
}

// The op that alone reads what `op` writes, and only once; null if there is none.
const PlannedOp* sole_reader(const Plan& plan, const PlannedOp& op) {
  const PlannedOp* reader = nullptr;
  for (const PlannedOp& other : plan.ops)
    for (const Operand& in : other.inputs) {
      if (in.arena != Arena::workspace || in.index != op.outputs[0].index) continue;
      if (reader) return nullptr;
      reader = &other;
    }
  return reader;
}

// What is left to write if `op` does the work of `reader` too.
std::optional<Store> joined(const PlannedOp& op, const PlannedOp& reader) {
  const Operand &out = op.outputs[0], &in = reader.inputs[0];
  const bool is_copy = reader.node->def->name == "copy" && in.desc.dtype == reader.outputs[0].desc.dtype;
  const bool is_chain = reader.node->def->name == "pointwise" && reader.inputs.size() == 1;
  if ((!is_copy && !is_chain) || in.offset != 0 || in.desc.numel() != out.desc.numel()) return std::nullopt;
  Store store = op.store.value_or(Store{.result = out.desc, .rows = {}, .columns = {}});
  if (is_chain && (store.chain || store.result.dtype != DType::f32)) return std::nullopt;
  if (is_chain) store.chain = reader.node;
  store.dtype = reader.outputs[0].desc.dtype;
  if (keeps_order(store) ? !place_elements(in.desc, store) : !in.desc.is_dense()) return std::nullopt;
  return store;
}

}  // namespace

void fuse_stores(Plan& plan, const std::function<bool(const PlannedOp&)>& accepts) {
  for (size_t i = 0; i < plan.ops.size(); ++i) {
    if (!accepts(plan.ops[i])) continue;
    while (plan.ops[i].outputs[0].arena == Arena::workspace) {
      PlannedOp& op = plan.ops[i];
      const PlannedOp* reader = sole_reader(plan, op);
      const std::optional<Store> store = reader ? joined(op, *reader) : std::nullopt;
      if (!store) break;
      op.store = store;
      op.outputs[0] = reader->outputs[0];
      plan.ops.erase(plan.ops.begin() + (reader - plan.ops.data()));
    }
  }
}

}  // namespace yanrt
