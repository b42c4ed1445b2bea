#pragma once

#include "program/program.h"

namespace yanrt {

// Checks a parsed package: every op against the table of ops, shapes and dtypes of every op, order of definition, state
// updates, schedules and their bindings. Throws Error(ErrorKind::package) naming the program, the op and the values.
void verify(const Package& package);

}  // namespace yanrt
