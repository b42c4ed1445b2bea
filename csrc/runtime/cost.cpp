#include "runtime/cost.h"

#include <map>
#include <string_view>

namespace yanrt {
namespace {

// Of norms: mean, centring, variance (a multiply-add), scaling, and the affine multiply-add.
constexpr double kNormFlops = 7;

double elements(const Operand& operand) { return static_cast<double>(operand.desc.numel()); }

// Broadcast dimensions are read once.
double distinct_bytes(const TensorDesc& desc) {
  double n = static_cast<double>(size_of(desc.dtype));
  for (int i = 0; i < desc.shape.rank(); ++i)
    if (desc.strides[i] != 0) n *= static_cast<double>(desc.shape[i]);
  return n;
}

double activation_flops(const PlannedOp& op) {
  return op.node->attrs.choice("act") == "none" ? 0 : elements(op.outputs[0]);
}

double present(const PlannedOp& op, size_t input) { return op.inputs[input].arena == Arena::absent ? 0 : 1; }

double linear_flops(const PlannedOp& op) {
  const double out = elements(op.outputs[0]), k = static_cast<double>(op.inputs[1].desc.shape[-1]);
  return out * (2 * k + present(op, 2) + present(op, 3) + present(op, 4)) + activation_flops(op);
}

double matmul_flops(const PlannedOp& op) {
  return elements(op.outputs[0]) * 2 * static_cast<double>(op.inputs[0].desc.shape[-1]);
}

double conv2d_flops(const PlannedOp& op) {
  const Dims& weight = op.inputs[1].desc.shape;
  const double field = static_cast<double>(weight[1] * weight[2] * weight[3]);
  return elements(op.outputs[0]) * (2 * field + present(op, 2) + present(op, 3)) + activation_flops(op);
}

// Of queries with the keys they see.
double attention_pairs(const PlannedOp& op) {
  const Dims& q = op.inputs[0].desc.shape;
  const double heads = elements(op.inputs[0]) / static_cast<double>(q[-3] * q[-1]);
  const auto queries = static_cast<double>(q[-3]), keys = static_cast<double>(op.inputs[1].desc.shape[-3]);
  // A causal query i sees keys - queries + i + 1 of them.
  const double seen = op.node->attrs.integer("causal") ? queries * (keys - (queries - 1) / 2) : queries * keys;
  return heads * seen;
}

bool sees_own_position(const PlannedOp& op) { return op.node->attrs.choice("scope") == "position"; }

double ring_attention_pairs(const PlannedOp& op) {
  const Dims& q = op.inputs[0].desc.shape;  // [B, W, P, H, D]
  const auto batch = static_cast<double>(q[0]), window = static_cast<double>(q[1]), places = static_cast<double>(q[2]);
  const auto history = static_cast<double>(op.node->attrs.integer("history"));
  const double frames = window * history + window * (window + 1) / 2;
  const double others = sees_own_position(op) ? 1 : places;
  return batch * frames * places * others * static_cast<double>(q[3]);
}

// Two products and a softmax: scale, maximum, difference, exponential, sum.
double attention_flops(const PlannedOp& op, double pairs) {
  return pairs * (4 * static_cast<double>(op.inputs[0].desc.shape[-1]) + 5);
}
double attention_flops(const PlannedOp& op) { return attention_flops(op, attention_pairs(op)); }
double ring_attention_flops(const PlannedOp& op) { return attention_flops(op, ring_attention_pairs(op)); }

double pointwise_flops(const PlannedOp& op, const OpNode& chain) {
  return elements(op.outputs[0]) * static_cast<double>(chain.attrs.strings("expr").size());
}
double pointwise_flops(const PlannedOp& op) { return pointwise_flops(op, *op.node); }

double norm_flops(const PlannedOp& op) { return elements(op.outputs[0]) * kNormFlops; }

// Maximum, difference, exponential, sum, scaling.
double softmax_flops(const PlannedOp& op) { return elements(op.outputs[0]) * 5; }

double reduce_flops(const PlannedOp& op) { return elements(op.inputs[0]); }

// Box-Muller and ten rounds of Philox, roughly: the one count here that is no property of the op's definition.
double randn_flops(const PlannedOp& op) { return elements(op.outputs[0]) * 40; }

double no_flops(const PlannedOp&) { return 0; }

struct Rule {
  double (*flops)(const PlannedOp&);
  bool matrix = false;
};

const Rule& rule_of(std::string_view op) {
  static const std::map<std::string_view, Rule> rules = {
      {"linear", {linear_flops, true}},
      {"matmul", {matmul_flops, true}},
      {"reduce", {reduce_flops}},
      {"softmax", {softmax_flops}},
      {"rms_norm", {norm_flops}},
      {"conv2d", {conv2d_flops, true}},
      {"attention", {attention_flops, true}},
      {"ring_attention", {ring_attention_flops, true}},
      {"pointwise", {pointwise_flops}},
      {"layer_norm", {norm_flops}},
      {"group_norm", {norm_flops}},
      {"randn", {randn_flops}},
  };
  static constexpr Rule moves_data{no_flops};
  const auto it = rules.find(op);
  return it == rules.end() ? moves_data : it->second;
}

bool sees_all_tokens(const PlannedOp& op) {
  if (op.node->def->name == "attention") return op.inputs[0].desc.shape[-3] == op.inputs[1].desc.shape[-3];
  return op.node->def->name == "ring_attention" && !sees_own_position(op);
}

// Of softmaxes. A query that sees its own position alone has keys of its own: no product of matrices.
void add_softmax(const PlannedOp& op, OpCost& cost) {
  const std::string_view name = op.node->def->name;
  if (name == "softmax") cost.exponentials = elements(op.outputs[0]);
  if (name == "attention") cost.exponentials = attention_pairs(op);
  if (name == "ring_attention") {
    cost.exponentials = ring_attention_pairs(op);
    cost.matrix = !sees_own_position(op);
  }
}

// Of a ring: the visible frames are read, the committed ones written.
void add_ring(const PlannedOp& op, const Operand& ring, OpCost& cost) {
  const double frame = static_cast<double>(ring.desc.bytes()) / static_cast<double>(ring.desc.shape[1]);
  cost.read += frame * static_cast<double>(op.node->attrs.integer("history"));
  cost.written += frame * static_cast<double>(op.node->attrs.integer("commit"));
}

}  // namespace

double weight_bytes(Precision precision) {
  switch (precision) {
    case Precision::fp32: return 4;
    case Precision::bf16: return 2;
    case Precision::int8:
    case Precision::fp8: return 1;
  }
  return 0;
}

OpCost op_cost(const PlannedOp& op, double weight_bytes) {
  const std::string_view name = op.node->def->name;
  const Rule& rule = rule_of(name);
  OpCost cost{.flops = rule.flops(op), .quadratic = sees_all_tokens(op), .matrix = rule.matrix};
  if (op.store && op.store->chain) cost.flops += pointwise_flops(op, *op.store->chain);
  add_softmax(op, cost);
  for (size_t i = 0; i < op.inputs.size(); ++i) {
    const Operand& in = op.inputs[i];
    // A copy that the plan inserted stands for no operands of a program; its definition still has them.
    const Role role = op.node->def->input(i).role;
    if (in.arena == Arena::absent) continue;
    if (role == Role::ring) {
      add_ring(op, in, cost);
    } else if (role == Role::weight) {
      cost.weights += elements(in) * weight_bytes;
    } else if (name == "gather" && i == 0) {
      cost.read += distinct_bytes(op.outputs[0].desc);  // of the table, the rows that are taken
    } else {
      cost.read += distinct_bytes(in.desc);
    }
  }
  cost.read += cost.weights;
  for (const Operand& out : op.outputs) cost.written += static_cast<double>(out.desc.bytes());
  return cost;
}

}  // namespace yanrt
