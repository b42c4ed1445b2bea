#include "core/ops.h"

#include <vector>

namespace yanrt {
namespace {

// Owns what the spans of an OpDef point to.
struct Entry {
  Entry(std::string_view name, std::vector<InputDef> inputs, std::vector<OutputDef> outputs, std::vector<AttrDef> attrs,
        unsigned flags = 0)
      : name(name), inputs(std::move(inputs)), outputs(std::move(outputs)), attrs(std::move(attrs)), flags(flags) {}
  std::string_view name;
  std::vector<InputDef> inputs;
  std::vector<OutputDef> outputs;
  std::vector<AttrDef> attrs;
  unsigned flags;
};

const std::vector<Entry>& entries() {
  static const std::vector<Entry> table = {
#include "core/ops.def"
  };
  return table;
}

}  // namespace

std::span<const OpDef> op_table() {
  static const std::vector<OpDef> table = [] {
    std::vector<OpDef> defs;
    for (const Entry& e : entries()) defs.push_back({e.name, e.inputs, e.outputs, e.attrs, e.flags});
    return defs;
  }();
  return table;
}

const OpDef* find_op(std::string_view name) {
  for (const OpDef& op : op_table())
    if (op.name == name) return &op;
  return nullptr;
}

}  // namespace yanrt
