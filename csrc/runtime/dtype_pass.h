// Chooses the type of every value and state for a precision.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "program/program.h"

namespace yanrt {

// Storage type of every state of the package. A `compute` state takes the compute type if every op that touches it can
// read it so; all others keep their own.
std::map<std::string, DType> choose_state_dtypes(const Package& package, DType compute);

// Type of every value of a program. A value is narrowed to the compute type only if the op that makes it can write it
// and everybody who reads it (through views) would round it anyway: so narrowing never changes what a kernel computes
// with.
std::vector<DType> choose_value_dtypes(const Program& program, const std::map<std::string, DType>& states,
                                       DType compute);

}  // namespace yanrt
