// Chooses the type of every value and state for a precision.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/precision.h"
#include "program/program.h"

namespace yanrt {

// Storage type of every state of the package. A `compute` state takes the compute type if every op that touches it can
// read it so; all others keep their own. With `kv` fp8, those that are nothing but rings are E4M3. Throws
// Error(argument) if the precision is fp32, Error(unsupported) if the package has no ring.
std::map<std::string, DType> choose_state_dtypes(const Package& package, Precision precision, KvType kv);

struct ValueType {
  DType dtype = DType::f32;
  float peak = 0;  // of i8 (core/tensor.h)
};

// Type of every value of a program. A value is narrowed only if the op that makes it can write it so and everybody who
// reads it (through views) would round it the same way: so narrowing never changes what a kernel computes with. To the
// compute type, or, in int8, to quantised rows (DType::i8) where all readers are GEMMs that take whole rows, with
// scales of one calibrated peak or each row's own.
std::vector<ValueType> choose_value_types(const Package& package, const Program& program,
                                          const std::map<std::string, DType>& states, Precision precision);

}  // namespace yanrt
