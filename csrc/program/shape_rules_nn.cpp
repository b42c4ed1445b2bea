#include "program/shape_rules_nn.h"

#include <array>
#include <limits>

namespace yanrt::rules {
namespace {

constexpr int64_t kMaxInt32 = std::numeric_limits<int32_t>::max();

void expect_all_f32(const OpView& op, size_t inputs) {
  for (size_t i = 0; i < inputs; ++i)
    if (op.has(i)) expect_dtype(op.node.def->input(i).name, op.in(i), DType::f32);
  expect_dtype("y", op.out(), DType::f32);
}

void expect_eps(const OpView& op) {
  const double eps = finite_attr(op, "eps");
  if (eps < 0) fail("attribute eps = " + std::to_string(eps) + " must not be negative");
}

// An optional table with one row a group of rows: [G, width].
void expect_grouped(const OpView& op, size_t i, int64_t width) {
  if (!op.has(i)) return;
  const std::string_view name = op.node.def->input(i).name;
  expect_rank(name, op.in(i), 2, 2);
  expect_shape(name, op.in(i), {op.in(i).shape[0], width});
}

void expect_vector(const OpView& op, size_t i, int64_t width) {
  if (op.has(i)) expect_shape(op.node.def->input(i).name, op.in(i), {width});
}

// y has the shape of x [..., D]; scale and shift are tables of rows.
void row_norm(const OpView& op) {
  expect_all_f32(op, 3);
  const Value& x = op.in(0);
  expect_rank("x", x, 1, kMaxRank);
  expect_grouped(op, 1, x.shape[-1]);
  expect_grouped(op, 2, x.shape[-1]);
  if (op.has(1) && op.has(2)) expect_shape("shift", op.in(2), op.in(1).shape);
  expect_shape("y", op.out(), x.shape);
  expect_eps(op);
  expect_range("group_rows", op.node.attrs.integer("group_rows"), 1, kMaxInt32);
}

}  // namespace

void layer_norm(const OpView& op) { row_norm(op); }
void rms_norm(const OpView& op) { row_norm(op); }

void group_norm(const OpView& op) {
  expect_all_f32(op, 3);
  const Value& x = op.in(0);
  expect_rank("x", x, 4, 4);
  const int64_t channels = x.shape[3], groups = op.node.attrs.integer("groups");
  expect_range("groups", groups, 1, channels);
  if (channels % groups != 0)
    fail("attribute groups = " + std::to_string(groups) + " does not divide the " + std::to_string(channels) +
         " channels of x");
  expect_vector(op, 1, channels);
  expect_vector(op, 2, channels);
  expect_shape("y", op.out(), x.shape);
  expect_eps(op);
}

void linear(const OpView& op) {
  expect_all_f32(op, 5);
  const Value &x = op.in(0), &weight = op.in(1);
  expect_rank("x", x, 1, kMaxRank);
  expect_rank("weight", weight, 2, 2);
  const int64_t n = weight.shape[0];
  expect_shape("weight", weight, {n, x.shape[-1]});
  Dims y = x.shape;
  y[-1] = n;
  expect_vector(op, 2, n);
  expect_grouped(op, 3, n);
  if (op.has(4)) expect_shape("residual", op.in(4), y);
  expect_shape("y", op.out(), y);
  expect_range("gate_rows", op.node.attrs.integer("gate_rows"), 1, kMaxInt32);
}

void conv2d(const OpView& op) {
  expect_all_f32(op, 4);
  const Value &x = op.in(0), &weight = op.in(1);
  expect_rank("x", x, 4, 4);
  expect_rank("weight", weight, 4, 4);
  const std::vector<int64_t>&stride = op.node.attrs.ints("stride"), &padding = op.node.attrs.ints("padding"),
        &dilation = op.node.attrs.ints("dilation");
  if (stride.size() != 2 || padding.size() != 4 || dilation.size() != 2)
    fail("attributes stride, padding, dilation must have 2, 4 (top, left, bottom, right) and 2 entries");
  const int64_t outputs = weight.shape[0], groups = op.node.attrs.integer("groups");
  expect_range("groups", groups, 1, x.shape[3]);
  if (x.shape[3] % groups != 0 || outputs % groups != 0)
    fail("attribute groups = " + std::to_string(groups) + " must divide the " + std::to_string(x.shape[3]) +
         " channels of x and the " + std::to_string(outputs) + " of y");
  expect_shape("weight", weight, {outputs, weight.shape[1], weight.shape[2], x.shape[3] / groups});
  Dims y{x.shape[0], 0, 0, outputs};
  for (size_t axis = 0; axis < 2; ++axis) {
    const int i = static_cast<int>(axis) + 1;
    expect_range("stride", stride[axis], 1, kMaxInt32);
    expect_range("dilation", dilation[axis], 1, kMaxInt32);
    const int64_t reach = (weight.shape[i] - 1) * dilation[axis] + 1;  // pixels one output pixel spans
    // A wider border would make outputs that see nothing of x.
    expect_range("padding", padding[axis], 0, reach - 1);
    expect_range("padding", padding[axis + 2], 0, reach - 1);
    const int64_t padded = x.shape[i] + padding[axis] + padding[axis + 2];
    if (padded < reach)
      fail("x is " + shown(x) + ": with its padding smaller than the " + std::to_string(reach) +
           " pixels the kernel spans");
    y[i] = (padded - reach) / stride[axis] + 1;
  }
  expect_vector(op, 2, outputs);
  if (op.has(3)) expect_shape("residual", op.in(3), y);
  expect_shape("y", op.out(), y);
}

void attention(const OpView& op) {
  expect_all_f32(op, 4);
  const Value &q = op.in(0), &k = op.in(1);
  expect_rank("q", q, 3, kMaxRank);
  expect_rank("k", k, q.shape.rank(), q.shape.rank());
  Dims keys = q.shape;
  keys[-3] = k.shape[-3];
  expect_shape("k", k, keys);
  expect_shape("v", op.in(2), keys);
  expect_shape("y", op.out(), q.shape);
  const int64_t queries = q.shape[-3], sources = k.shape[-3], causal = op.node.attrs.integer("causal");
  if (op.has(3)) {
    Dims logits = q.shape;
    logits[-3] = q.shape[-2];
    logits[-2] = queries;
    logits[-1] = sources;
    expect_broadcasts("mask", op.in(3), logits);
  }
  expect_range("causal", causal, 0, 1);
  if (causal && sources < queries)
    fail("causal with " + std::to_string(sources) + " keys for " + std::to_string(queries) +
         " queries: the first queries would see none");
  finite_attr(op, "scale");
}

void ring_attention(const OpView& op) {
  expect_all_f32(op, 5);
  const Value &q = op.in(0), &ring = op.in(3);
  expect_rank("q", q, 5, 5);
  expect_rank("k_ring", ring, 5, 5);
  for (size_t i : std::array<size_t, 2>{1, 2}) expect_shape(op.node.def->inputs[i].name, op.in(i), q.shape);
  expect_shape("y", op.out(), q.shape);
  Dims slots = q.shape;
  slots[1] = ring.shape[1];
  expect_shape("k_ring", ring, slots);
  expect_shape("v_ring", op.in(4), slots);
  for (size_t i : std::array<size_t, 2>{5, 6}) {
    expect_dtype(op.node.def->inputs[i].name, op.in(i), DType::i64);
    expect_shape(op.node.def->inputs[i].name, op.in(i), {q.shape[0]});
  }
  const int64_t window = q.shape[1], capacity = ring.shape[1];
  const int64_t commit = op.node.attrs.integer("commit"), history = op.node.attrs.integer("history");
  expect_range("commit", commit, 0, window);
  expect_range("history", history, 0, capacity);
  if (history + commit > capacity)
    fail("history + commit = " + std::to_string(history + commit) + " frames do not fit the " +
         std::to_string(capacity) + " slots of k_ring");
  if (op.has(7)) {
    const Value& bias = op.in(7);
    expect_dtype("bias", bias, DType::f32);
    expect_rank("bias", bias, 2, 2);
    expect_shape("bias", bias, {q.shape[3], bias.shape[1]});
    if (bias.shape[1] < history + window)
      fail("bias is " + shown(bias) + "; frames are up to " + std::to_string(history + window) +
           " apart, and each distance takes a column");
  }
  finite_attr(op, "scale");
}

}  // namespace yanrt::rules
