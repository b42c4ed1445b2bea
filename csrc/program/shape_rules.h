// What core/ops.def says of the shapes, dtypes and attributes of each op, as checks: a kernel never has to look again.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "program/program.h"

namespace yanrt {

// An op with its operands looked up. Absent operands are null.
struct OpView {
  const OpNode& node;
  std::vector<const Value*> inputs;
  std::vector<const Value*> outputs;

  bool has(size_t i) const { return i < inputs.size() && inputs[i]; }
  const Value& in(size_t i) const { return *inputs[i]; }
  const Value& out() const { return *outputs[0]; }
};

using ShapeRule = void (*)(const OpView& op);

// The rule of an op of the table. A rule may rely on the arity, and on required operands being there. It throws
// Error(ErrorKind::package) saying what is wrong; the caller says where.
ShapeRule find_shape_rule(std::string_view op);

}  // namespace yanrt
