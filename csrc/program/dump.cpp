#include "program/dump.h"

#include <charconv>

namespace yanrt {
namespace {

std::string shown(const Value& value) { return std::string(name_of(value.dtype)) + value.shape.str(); }

std::string shown(double value) {
  char text[32];
  const auto [end, error] = std::to_chars(text, text + sizeof(text), value);  // the shortest that reads back the same
  return {text, end};
}

std::string shown(const AttrValue& attr) {
  if (const auto* integer = std::get_if<int64_t>(&attr)) return std::to_string(*integer);
  if (const auto* real = std::get_if<double>(&attr)) return shown(*real);
  if (const auto* choice = std::get_if<std::string>(&attr)) return *choice;
  std::string out = "[";
  if (const auto* ints = std::get_if<std::vector<int64_t>>(&attr)) {
    for (size_t i = 0; i < ints->size(); ++i) out += (i ? ", " : "") + std::to_string((*ints)[i]);
  } else {
    const auto& strings = std::get<std::vector<std::string>>(attr);
    for (size_t i = 0; i < strings.size(); ++i) out += (i ? "; " : "") + strings[i];
  }
  return out + "]";
}

// A value as an operand: its name if it has one.
std::string operand(const Program& program, int v) {
  if (v < 0) return "-";
  const Value& value = program.values[static_cast<size_t>(v)];
  if (value.source == ValueSource::tensor) return value.name;
  if (value.source == ValueSource::state) return "@" + value.name;
  return "%" + std::to_string(v);
}

std::string line(const Program& program, const OpNode& op) {
  std::string out = "  ";
  for (size_t i = 0; i < op.outputs.size(); ++i) {
    const int v = op.outputs[i];
    out += (i ? ", %" : "%") + std::to_string(v) + " " + shown(program.values[static_cast<size_t>(v)]);
  }
  out += " = " + std::string(op.def->name) + "(";
  for (size_t i = 0; i < op.inputs.size(); ++i) out += (i ? ", " : "") + operand(program, op.inputs[i]);
  out += ")";
  if (!op.attrs.all().empty()) {
    out += " {";
    for (const auto& [name, value] : op.attrs.all())
      out += (&name == &op.attrs.all().front().first ? "" : ", ") + name + "=" + shown(value);
    out += "}";
  }
  return out + (op.source.empty() ? "" : " # " + op.source) + "\n";
}

}  // namespace

std::string dump(const Program& program) {
  std::string out = "program " + program.name + "\n";
  for (const NamedValue& input : program.inputs)
    out += "  input " + input.name + ": %" + std::to_string(input.value) + " " +
           shown(program.values[static_cast<size_t>(input.value)]) + "\n";
  for (const OpNode& op : program.ops) out += line(program, op);
  for (const NamedValue& output : program.outputs)
    out += "  output " + output.name + ": " + operand(program, output.value) + "\n";
  for (const NamedValue& update : program.updates)
    out += "  update @" + update.name + ": " + operand(program, update.value) + "\n";
  return out;
}

}  // namespace yanrt
