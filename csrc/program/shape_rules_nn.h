// Rules of the ops with weights, norms and attention, and what all rules share. Private to shape_rules*.cpp.
#pragma once

#include <string>
#include <string_view>

#include "program/shape_rules.h"

namespace yanrt::rules {

[[noreturn]] void fail(const std::string& why);
std::string shown(const Value& value);  // "f32[1, 2]"

void expect_dtype(std::string_view what, const Value& value, DType dtype);
void expect_shape(std::string_view what, const Value& value, const Dims& shape);
void expect_rank(std::string_view what, const Value& value, int low, int high);
void expect_range(std::string_view what, int64_t value, int64_t low, int64_t high);
// By numpy's rules: aligned at the last dimension, extents equal or 1.
void expect_broadcasts(std::string_view what, const Value& from, const Dims& to);
// A real attribute that an f32 can hold.
double finite_attr(const OpView& op, std::string_view name);

void reduce(const OpView& op);
void softmax(const OpView& op);
void layer_norm(const OpView& op);
void rms_norm(const OpView& op);
void group_norm(const OpView& op);
void linear(const OpView& op);
void matmul(const OpView& op);
void conv2d(const OpView& op);
void attention(const OpView& op);
void ring_attention(const OpView& op);

}  // namespace yanrt::rules
