#pragma once

#include "program/program.h"

namespace yanrt {

// The part of verify() that checks schedules, their bindings, and the start. Expects verified programs.
void verify_schedules(const Package& package);

}  // namespace yanrt
