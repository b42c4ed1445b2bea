#include "program/shape_rules.h"

#include <cmath>
#include <limits>

#include "core/error.h"
#include "program/pointwise_expr.h"
#include "program/shape_rules_nn.h"

namespace yanrt {
namespace rules {

void fail(const std::string& why) { throw Error(ErrorKind::package, why); }

std::string shown(const Value& value) { return std::string(name_of(value.dtype)) + value.shape.str(); }

void expect_dtype(std::string_view what, const Value& value, DType dtype) {
  if (value.dtype != dtype)
    fail(std::string(what) + " is " + shown(value) + "; its dtype must be " + std::string(name_of(dtype)));
}

void expect_shape(std::string_view what, const Value& value, const Dims& shape) {
  if (value.shape != shape) fail(std::string(what) + " is " + shown(value) + "; its shape must be " + shape.str());
}

void expect_rank(std::string_view what, const Value& value, int low, int high) {
  if (value.shape.rank() < low || value.shape.rank() > high)
    fail(std::string(what) + " is " + shown(value) + "; it must have " + std::to_string(low) +
         (high == low ? "" : " to " + std::to_string(high)) + " dimensions");
}

void expect_range(std::string_view what, int64_t value, int64_t low, int64_t high) {
  if (value < low || value > high)
    fail("attribute " + std::string(what) + " = " + std::to_string(value) + " must be from " + std::to_string(low) +
         " to " + std::to_string(high));
}

double finite_attr(const OpView& op, std::string_view name) {
  const double value = op.node.attrs.real(name);
  if (!(std::abs(value) <= std::numeric_limits<float>::max()))
    fail("attribute " + std::string(name) + " = " + std::to_string(value) + " is no f32 number");
  return value;
}

void expect_broadcasts(std::string_view what, const Value& from, const Dims& to) {
  const int added = to.rank() - from.shape.rank();
  bool ok = added >= 0;
  for (int i = 0; ok && i < from.shape.rank(); ++i) ok = from.shape[i] == 1 || from.shape[i] == to[i + added];
  if (!ok) fail(std::string(what) + " is " + shown(from) + ", which does not broadcast to " + to.str());
}

namespace {

void expect_same_dtype(const OpView& op) {
  for (size_t i = 0; i < op.inputs.size(); ++i) expect_dtype("operand " + std::to_string(i), op.in(i), op.out().dtype);
}

Dims shape_attr(const OpView& op, std::string_view name) {
  const std::vector<int64_t>& dims = op.node.attrs.ints(name);
  if (dims.size() > kMaxRank) fail("attribute " + std::string(name) + " has more than 8 dimensions");
  return Dims(std::span(dims));
}

void reshape(const OpView& op) {
  expect_same_dtype(op);
  expect_shape("y", op.out(), shape_attr(op, "shape"));
  if (op.in(0).shape.numel() != op.out().shape.numel())
    fail("x is " + shown(op.in(0)) + ", which has not as many elements as y, " + shown(op.out()));
}

void permute(const OpView& op) {
  expect_same_dtype(op);
  const std::vector<int64_t>& dims = op.node.attrs.ints("dims");
  const Dims& x = op.in(0).shape;
  if (dims.size() != static_cast<size_t>(x.rank()))
    fail("attribute dims has " + std::to_string(dims.size()) + " entries; x has " + std::to_string(x.rank()) +
         " dimensions");
  Dims y;
  unsigned seen = 0;
  for (int64_t dim : dims) {
    expect_range("dims", dim, 0, x.rank() - 1);
    if (seen & (1u << dim)) fail("attribute dims names dimension " + std::to_string(dim) + " twice");
    seen |= 1u << dim;
    y.push_back(x[static_cast<int>(dim)]);
  }
  expect_shape("y", op.out(), y);
}

void slice(const OpView& op) {
  expect_same_dtype(op);
  expect_rank("x", op.in(0), 1, kMaxRank);
  Dims y = op.in(0).shape;
  const int64_t dim = op.node.attrs.integer("dim"), start = op.node.attrs.integer("start"),
                stop = op.node.attrs.integer("stop"), step = op.node.attrs.integer("step");
  expect_range("dim", dim, 0, y.rank() - 1);
  int64_t& extent = y[static_cast<int>(dim)];
  expect_range("stop", stop, 1, extent);
  expect_range("start", start, 0, stop - 1);
  expect_range("step", step, 1, extent);
  extent = (stop - start + step - 1) / step;
  expect_shape("y", op.out(), y);
}

void expand(const OpView& op) {
  expect_same_dtype(op);
  expect_shape("y", op.out(), shape_attr(op, "shape"));
  expect_broadcasts("x", op.in(0), op.out().shape);
}

void copy(const OpView& op) {
  expect_same_dtype(op);
  expect_shape("y", op.out(), op.in(0).shape);
}

void concat(const OpView& op) {
  expect_same_dtype(op);
  expect_rank("operand 0", op.in(0), 1, kMaxRank);
  Dims y = op.in(0).shape;
  const int64_t dim = op.node.attrs.integer("dim");
  expect_range("dim", dim, 0, y.rank() - 1);
  const int d = static_cast<int>(dim);
  for (size_t i = 1; i < op.inputs.size(); ++i) {
    Dims expected = y;
    expect_rank("operand " + std::to_string(i), op.in(i), y.rank(), y.rank());
    expected[d] = op.in(i).shape[d];
    expect_shape("operand " + std::to_string(i), op.in(i), expected);
    y[d] += op.in(i).shape[d];
  }
  expect_shape("y", op.out(), y);
}

// The constant must be a value of the dtype, so that a kernel can convert it without thought.
void expect_pad_value(double value, DType dtype) {
  const auto integral = [&](double low, double high) {
    if (value != std::floor(value) || value < low || value > high)
      fail("attribute value = " + std::to_string(value) + " is no " + std::string(name_of(dtype)));
  };
  constexpr double kExact = 9007199254740992;  // 2^53: doubles up to here are the integers themselves
  switch (dtype) {
    case DType::i64: return integral(-kExact, kExact);
    case DType::i32: return integral(std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max());
    case DType::u8: return integral(0, 255);
    case DType::boolean: return integral(0, 1);
    default: return;
  }
}

void pad(const OpView& op) {
  expect_same_dtype(op);
  Dims y = op.in(0).shape;
  const std::vector<int64_t>& pads = op.node.attrs.ints("pads");
  if (pads.size() != 2 * static_cast<size_t>(y.rank()))
    fail("attribute pads has " + std::to_string(pads.size()) + " entries; x is " + shown(op.in(0)) +
         " and takes two a dimension");
  for (int i = 0; i < y.rank(); ++i) {
    const int64_t before = pads[2 * static_cast<size_t>(i)], after = pads[2 * static_cast<size_t>(i) + 1];
    expect_range("pads", before, 0, std::numeric_limits<int32_t>::max());
    expect_range("pads", after, 0, std::numeric_limits<int32_t>::max());
    y[i] += before + after;
  }
  expect_shape("y", op.out(), y);
  expect_pad_value(finite_attr(op, "value"), op.out().dtype);
}

void gather(const OpView& op) {
  const Value &table = op.in(0), &index = op.in(1);
  expect_rank("table", table, 2, 2);
  expect_dtype("table", table, op.out().dtype);
  expect_dtype("index", index, DType::i64);
  expect_rank("index", index, 0, kMaxRank - 1);
  Dims y = index.shape;
  y.push_back(table.shape[1]);
  expect_shape("y", op.out(), y);
}

void pointwise(const OpView& op) {
  std::vector<DType> dtypes;
  for (size_t i = 0; i < op.inputs.size(); ++i) {
    expect_broadcasts("operand " + std::to_string(i), op.in(i), op.out().shape);
    dtypes.push_back(op.in(i).dtype);
  }
  parse_pointwise(op.node.attrs.strings("expr"), dtypes, op.out().dtype);
}

void randn(const OpView& op) {
  expect_rank("y", op.out(), 1, kMaxRank);
  expect_dtype("y", op.out(), DType::f32);
  for (size_t i = 0; i < 2; ++i) {
    const std::string_view name = op.node.def->inputs[i].name;
    expect_dtype(name, op.in(i), DType::i64);
    expect_shape(name, op.in(i), {op.out().shape[0]});
  }
}

struct NamedRule {
  std::string_view op;
  ShapeRule rule;
};

constexpr NamedRule kRules[] = {
    {"reshape", reshape},
    {"permute", permute},
    {"slice", slice},
    {"expand", expand},
    {"copy", copy},
    {"concat", concat},
    {"pad", pad},
    {"gather", gather},
    {"pointwise", pointwise},
    {"randn", randn},
    {"reduce", reduce},
    {"softmax", softmax},
    {"layer_norm", layer_norm},
    {"rms_norm", rms_norm},
    {"group_norm", group_norm},
    {"linear", linear},
    {"matmul", matmul},
    {"conv2d", conv2d},
    {"attention", attention},
    {"ring_attention", ring_attention},
};

}  // namespace
}  // namespace rules

ShapeRule find_shape_rule(std::string_view op) {
  for (const rules::NamedRule& entry : rules::kRules)
    if (entry.op == op) return entry.rule;
  throw Error(ErrorKind::package, "op '" + std::string(op) + "' has no shape rule in this build");
}

}  // namespace yanrt
