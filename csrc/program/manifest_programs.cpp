#include <array>
#include <limits>

#include "program/manifest.h"
#include "program/quote.h"

namespace yanrt {
namespace {

constexpr int64_t kInt64Min = std::numeric_limits<int64_t>::min();
constexpr int64_t kInt64Max = std::numeric_limits<int64_t>::max();

Value read_value(const JsonNode& node) {
  node.expect_keys({"dtype", "shape", "tensor", "state"});
  Value value{.dtype = node.member("dtype").dtype(), .shape = node.member("shape").shape(), .name = {}};
  const auto tensor = node.find("tensor"), state = node.find("state");
  if (tensor && state) node.fail("cannot be both a tensor and a state");
  if (tensor || state) {
    value.source = tensor ? ValueSource::tensor : ValueSource::state;
    value.name = (tensor ? tensor : state)->text();
  }
  return value;
}

int read_index(const JsonNode& node, int64_t low, const Program& program) {
  return static_cast<int>(node.integer(low, static_cast<int64_t>(program.values.size()) - 1));
}

AttrValue read_attr(const AttrDef& def, const JsonNode& node) {
  switch (def.type) {
    case AttrType::integer: return node.integer(kInt64Min, kInt64Max);
    case AttrType::real: return node.real();
    case AttrType::ints: return node.integers(kInt64Min, kInt64Max);
    case AttrType::strings: return node.texts();
    case AttrType::choice: break;
  }
  const std::string choice = node.text();
  // Both ends get a comma, so that only whole words match.
  const std::string choices = "," + std::string(def.choices) + ",";
  if (choice.find(',') != std::string::npos || choices.find("," + choice + ",") == std::string::npos)
    node.fail(quote(choice) + " must be one of " + std::string(def.choices));
  return choice;
}

OpNode read_op(const JsonNode& node, const Program& program) {
  node.expect_keys({"op", "in", "out", "attrs", "source"});
  const JsonNode name = node.member("op");
  OpNode op{.def = find_op(name.text()), .inputs = {}, .outputs = {}, .attrs = {}, .source = {}};
  if (!op.def) name.fail(quote(name.text()) + " is no op of this build; csrc/core/ops.def lists them");
  for (const JsonNode& index : node.member("in").elements()) op.inputs.push_back(read_index(index, -1, program));
  for (const JsonNode& index : node.member("out").elements()) op.outputs.push_back(read_index(index, 0, program));
  const JsonNode attrs = node.member("attrs");
  std::vector<std::string_view> known;
  for (const AttrDef& def : op.def->attrs) known.push_back(def.name);
  attrs.expect_keys(known);
  for (const AttrDef& def : op.def->attrs) op.attrs.set(std::string(def.name), read_attr(def, attrs.member(def.name)));
  if (const auto source = node.find("source")) op.source = source->text(4096);
  return op;
}

// `{"name": ..., "value": ...}`, or with the key "state" instead of "name".
std::vector<NamedValue> read_ports(const JsonNode& node, const char* name_key, const Program& program) {
  std::vector<NamedValue> ports;
  for (const JsonNode& entry : node.elements()) {
    const std::array<std::string_view, 2> keys{name_key, "value"};
    entry.expect_keys(keys);
    NamedValue port{.name = entry.member(name_key).text(), .value = read_index(entry.member("value"), 0, program)};
    for (const NamedValue& other : ports)
      if (other.name == port.name) entry.fail(quote(port.name) + " is named twice");
    ports.push_back(std::move(port));
  }
  return ports;
}

// A value without tensor or state is an input if it is named here, else the output of an op.
void mark_inputs(const JsonNode& node, Program& program) {
  for (const NamedValue& input : program.inputs) {
    Value& value = program.values[static_cast<size_t>(input.value)];
    if (value.source != ValueSource::op)
      node.fail(quote(input.name) + ": value " + std::to_string(input.value) +
                " is already a tensor, a state or another input");
    value.source = ValueSource::input;
  }
}

}  // namespace

void read_programs(const JsonNode& node, Package& package) {
  for (const auto& [name, entry] : node.members()) {
    entry.expect_keys({"inputs", "outputs", "updates", "values", "ops"});
    Program program{.name = name, .values = {}, .ops = {}, .inputs = {}, .outputs = {}, .updates = {}};
    for (const JsonNode& value : entry.member("values").elements()) program.values.push_back(read_value(value));
    program.inputs = read_ports(entry.member("inputs"), "name", program);
    program.outputs = read_ports(entry.member("outputs"), "name", program);
    program.updates = read_ports(entry.member("updates"), "state", program);
    mark_inputs(entry.member("inputs"), program);
    for (const JsonNode& op : entry.member("ops").elements()) program.ops.push_back(read_op(op, program));
    package.programs[name] = std::move(program);
  }
}

}  // namespace yanrt
