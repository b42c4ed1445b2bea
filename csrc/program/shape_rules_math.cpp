// Rules of reductions and of products of computed matrices.
#include "program/shape_rules_nn.h"

namespace yanrt::rules {

void reduce(const OpView& op) {
  const Value &x = op.in(0), &y = op.out();
  if (x.dtype != DType::f32 && x.dtype != DType::i64) fail("x is " + shown(x) + "; its dtype must be f32 or i64");
  if (x.dtype == DType::i64 && op.node.attrs.choice("kind") == "mean")
    fail("attribute kind = mean of integers; x is " + shown(x));
  expect_dtype("y", y, x.dtype);
  expect_rank("x", x, 1, kMaxRank);
  const int64_t dim = op.node.attrs.integer("dim");
  expect_range("dim", dim, 0, x.shape.rank() - 1);
  Dims reduced = x.shape;
  reduced[static_cast<int>(dim)] = 1;
  expect_shape("y", y, reduced);
}

void softmax(const OpView& op) {
  expect_dtype("x", op.in(0), DType::f32);
  expect_dtype("y", op.out(), DType::f32);
  expect_rank("x", op.in(0), 1, kMaxRank);
  expect_shape("y", op.out(), op.in(0).shape);
}

void matmul(const OpView& op) {
  const Value &a = op.in(0), &b = op.in(1);
  for (const Value* value : {&a, &b, &op.out()}) expect_dtype("an operand", *value, DType::f32);
  expect_rank("a", a, 2, kMaxRank);
  expect_rank("b", b, a.shape.rank(), a.shape.rank());
  const int64_t transposed = op.node.attrs.integer("transpose_b");
  expect_range("transpose_b", transposed, 0, 1);
  const int64_t columns = b.shape[transposed ? -2 : -1];
  Dims wanted = a.shape, y = a.shape;
  wanted[-2] = transposed ? columns : a.shape[-1];
  wanted[-1] = transposed ? a.shape[-1] : columns;
  expect_shape("b", b, wanted);
  y[-1] = columns;
  expect_shape("y", op.out(), y);
}

}  // namespace yanrt::rules
