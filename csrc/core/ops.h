// The table of ops (core/ops.def) as data.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace yanrt {

enum class Role : uint8_t { exact, compute, quantised, weight, ring };
enum class Layout : uint8_t { dense, rows, inner, strided };
enum class AttrType : uint8_t { integer, real, ints, strings, choice };

inline constexpr unsigned kOptional = 1;  // the operand may be absent (-1)
inline constexpr unsigned kVariadic = 2;  // the last operand repeats
inline constexpr unsigned kView = 4;      // the op moves no data

struct InputDef {
  std::string_view name;
  Role role = Role::exact;
  Layout layout = Layout::dense;
  unsigned flags = 0;
};
struct OutputDef {
  std::string_view name;
  Role role = Role::exact;
};
struct AttrDef {
  std::string_view name;
  AttrType type = AttrType::integer;
  std::string_view choices = {};  // comma-separated, for AttrType::choice
};

inline constexpr int kMaxOpInputs = 9;
inline constexpr int kMaxOpAttrs = 6;

struct OpDef {
  std::string_view name;
  std::span<const InputDef> inputs;
  std::span<const OutputDef> outputs;
  std::span<const AttrDef> attrs;
  unsigned flags = 0;

  bool is_view() const { return flags & kView; }
  bool is_variadic() const { return !inputs.empty() && (inputs.back().flags & kVariadic); }
  // The definition of operand `i`; variadic operands share the last one.
  const InputDef& input(size_t i) const { return inputs[i < inputs.size() ? i : inputs.size() - 1]; }
};

std::span<const OpDef> op_table();
// nullptr if there is no op of this name.
const OpDef* find_op(std::string_view name);

}  // namespace yanrt
