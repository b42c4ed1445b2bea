#include "program/pointwise_expr.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "core/error.h"

namespace yanrt {
namespace {

// How the kinds of an instruction's arguments and result hang together.
enum class Rule : uint8_t {
  same,         // all arguments of one kind, result alike
  real_only,    // float -> float
  compare,      // all arguments of one kind -> int
  logic,        // int -> int
  select,       // int, then two of one kind -> that kind
  int_to_real,  // int -> float
  real_to_int,  // float -> int
};

struct Spelling {
  std::string_view name;
  PwOp op;
  int arity;
  Rule rule;
};

constexpr Spelling kSpellings[] = {
    {"add", PwOp::add, 2, Rule::same},
    {"sub", PwOp::sub, 2, Rule::same},
    {"mul", PwOp::mul, 2, Rule::same},
    {"min", PwOp::min, 2, Rule::same},
    {"max", PwOp::max, 2, Rule::same},
    {"neg", PwOp::neg, 1, Rule::same},
    {"abs", PwOp::abs, 1, Rule::same},
    {"div", PwOp::div, 2, Rule::real_only},
    {"pow", PwOp::pow, 2, Rule::real_only},
    {"exp", PwOp::exp, 1, Rule::real_only},
    {"log", PwOp::log, 1, Rule::real_only},
    {"sqrt", PwOp::sqrt, 1, Rule::real_only},
    {"rsqrt", PwOp::rsqrt, 1, Rule::real_only},
    {"tanh", PwOp::tanh, 1, Rule::real_only},
    {"sigmoid", PwOp::sigmoid, 1, Rule::real_only},
    {"silu", PwOp::silu, 1, Rule::real_only},
    {"gelu", PwOp::gelu, 1, Rule::real_only},
    {"gelu_tanh", PwOp::gelu_tanh, 1, Rule::real_only},
    {"relu", PwOp::relu, 1, Rule::real_only},
    {"sin", PwOp::sin, 1, Rule::real_only},
    {"cos", PwOp::cos, 1, Rule::real_only},
    {"floor", PwOp::floor, 1, Rule::real_only},
    {"ceil", PwOp::ceil, 1, Rule::real_only},
    {"round", PwOp::round, 1, Rule::real_only},
    {"floordiv", PwOp::floordiv, 2, Rule::same},
    {"mod", PwOp::mod, 2, Rule::same},
    {"eq", PwOp::eq, 2, Rule::compare},
    {"ne", PwOp::ne, 2, Rule::compare},
    {"lt", PwOp::lt, 2, Rule::compare},
    {"le", PwOp::le, 2, Rule::compare},
    {"gt", PwOp::gt, 2, Rule::compare},
    {"ge", PwOp::ge, 2, Rule::compare},
    {"and", PwOp::logical_and, 2, Rule::logic},
    {"or", PwOp::logical_or, 2, Rule::logic},
    {"not", PwOp::logical_not, 1, Rule::logic},
    {"where", PwOp::where, 3, Rule::select},
    {"float", PwOp::to_float, 1, Rule::int_to_real},
    {"int", PwOp::to_int, 1, Rule::real_to_int},
    {"clamp", PwOp::clamp, 3, Rule::same},
};

const Spelling* find_spelling(std::string_view name) {
  for (const Spelling& s : kSpellings)
    if (s.name == name) return &s;
  return nullptr;
}

std::string_view spell(PwKind kind) { return kind == PwKind::real ? "float" : "int"; }

template <class T>
std::optional<T> parse_number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Parses one instruction after another; each sees the kinds of those before it.
class Parser {
 public:
  explicit Parser(std::span<const DType> inputs) : inputs_(inputs) {}

  PwInstruction parse(std::string_view text) {
    text_ = rest_ = text;
    const std::string_view name = next_word();
    const Spelling* spelling = find_spelling(name);
    if (!spelling) fail("unknown name '" + std::string(name) + "'; docs/pointwise.md lists them");
    PwInstruction instruction{.op = spelling->op, .arity = spelling->arity};
    for (int i = 0; i < spelling->arity; ++i) instruction.args[i] = parse_argument(next_word());
    if (const std::string_view extra = next_word(); !extra.empty())
      fail("'" + std::string(extra) + "' is one argument too many; '" + std::string(name) + "' takes " +
           std::to_string(spelling->arity));
    instruction.kind = result_kind(*spelling, instruction);
    kinds_.push_back(instruction.kind);
    return instruction;
  }

 private:
  [[noreturn]] void fail(const std::string& why) const {
    throw Error(ErrorKind::package,
                "expr[" + std::to_string(kinds_.size()) + "] '" + std::string(text_.substr(0, 80)) + "': " + why);
  }

  // The next word of the instruction; empty at its end.
  std::string_view next_word() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(' '), rest_.size()));
    const std::string_view word = rest_.substr(0, rest_.find(' '));
    rest_.remove_prefix(word.size());
    return word;
  }

  PwArg parse_argument(std::string_view word) const {
    if (word.empty()) fail("an argument is missing");
    if (word[0] == '%') {
      const int index = parse_index(word, kinds_.size(), "instructions before this one");
      return {.source = PwArg::Source::result, .kind = kinds_[index], .index = index};
    }
    if (word[0] == 'i' && word != "inf") {
      const int index = parse_index(word, inputs_.size(), "inputs");
      return {.source = PwArg::Source::input, .kind = kind_of(inputs_[index]), .index = index};
    }
    return parse_literal(word);
  }

  int parse_index(std::string_view word, size_t count, const char* what) const {
    const std::optional<int> index = parse_number<int>(word.substr(1));
    if (!index || *index < 0 || static_cast<size_t>(*index) >= count)
      fail("'" + std::string(word) + "' is out of range; there are " + std::to_string(count) + " " + what);
    return *index;
  }

  PwArg parse_literal(std::string_view word) const {
    if (word == "inf" || word == "-inf" || word == "nan") {
      const float infinity = std::numeric_limits<float>::infinity();
      const float real = word == "nan" ? std::numeric_limits<float>::quiet_NaN() : word == "inf" ? infinity : -infinity;
      return {.kind = PwKind::real, .real = real};
    }
    if (word.find_first_not_of("+-.0123456789eE") != std::string_view::npos)
      fail("'" + std::string(word) + "' is no argument; write iN, %N or a number");
    if (word.find_first_of(".eE") == std::string_view::npos) {
      const std::optional<int64_t> integer = parse_number<int64_t>(word);
      if (!integer) fail("'" + std::string(word) + "' is no 64-bit integer");
      return {.kind = PwKind::integer, .integer = *integer};
    }
    const std::optional<double> real = parse_number<double>(word);
    if (!real || std::abs(*real) > static_cast<double>(std::numeric_limits<float>::max()))
      fail("'" + std::string(word) + "' is no f32 number");
    return {.kind = PwKind::real, .real = static_cast<float>(*real)};
  }

  void expect(const PwArg& arg, PwKind kind, std::string_view name) const {
    if (arg.kind != kind)
      fail("'" + std::string(name) + "' wants " + std::string(spell(kind)) + " where it gets " +
           std::string(spell(arg.kind)) + "; convert with 'float' or 'int'");
  }

  PwKind result_kind(const Spelling& spelling, const PwInstruction& instruction) const {
    const auto& args = instruction.args;
    switch (spelling.rule) {
      case Rule::real_only:
      case Rule::real_to_int:
        for (int i = 0; i < spelling.arity; ++i) expect(args[i], PwKind::real, spelling.name);
        return spelling.rule == Rule::real_only ? PwKind::real : PwKind::integer;
      case Rule::logic:
      case Rule::int_to_real:
        for (int i = 0; i < spelling.arity; ++i) expect(args[i], PwKind::integer, spelling.name);
        return spelling.rule == Rule::logic ? PwKind::integer : PwKind::real;
      case Rule::select:
        expect(args[0], PwKind::integer, spelling.name);
        expect(args[2], args[1].kind, spelling.name);
        return args[1].kind;
      case Rule::same:
      case Rule::compare:
        for (int i = 1; i < spelling.arity; ++i) expect(args[i], args[0].kind, spelling.name);
        return spelling.rule == Rule::same ? args[0].kind : PwKind::integer;
    }
    fail("no rule for '" + std::string(spelling.name) + "'");
  }

  std::span<const DType> inputs_;
  std::vector<PwKind> kinds_;     // of the results so far
  std::string_view text_, rest_;  // the instruction, and what of it is not read yet
};

void check_store(PwKind kind, DType output) {
  const bool ok = output == DType::u8 || (output != DType::f8e4m3 && kind == kind_of(output));
  if (!ok)
    throw Error(ErrorKind::package, "expr gives " + std::string(spell(kind)) + ", which cannot be stored as " +
                                        std::string(name_of(output)) + "; end it with 'float' or 'int'");
}

}  // namespace

std::vector<PwInstruction> parse_pointwise(std::span<const std::string> expr, std::span<const DType> inputs,
                                           DType output) {
  if (expr.empty() || expr.size() > kMaxPointwiseInstructions)
    throw Error(ErrorKind::package, "expr has " + std::to_string(expr.size()) + " instructions; 1 to " +
                                        std::to_string(kMaxPointwiseInstructions) + " are allowed");
  if (inputs.size() > kMaxPointwiseInputs)
    throw Error(ErrorKind::package, "expr has " + std::to_string(inputs.size()) + " inputs; at most " +
                                        std::to_string(kMaxPointwiseInputs) + " are allowed");
  std::vector<PwInstruction> code;
  code.reserve(expr.size());
  Parser parser(inputs);
  for (const std::string& text : expr) code.push_back(parser.parse(text));
  check_store(code.back().kind, output);
  return code;
}

std::string_view name_of(PwOp op) {
  for (const Spelling& s : kSpellings)
    if (s.op == op) return s.name;
  return "?";
}

}  // namespace yanrt
