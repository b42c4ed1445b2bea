// The manifest of a package (docs/package.md): from JSON to the structs of program.h. What one value can say alone is
// checked here; what hangs together is checked by verifier.cpp.
#pragma once

#include "program/json_node.h"
#include "program/program.h"

namespace yanrt {

// Fills `package`, whose tensors are already located, from the manifest's root. All throw Error(ErrorKind::package).
void read_manifest(const JsonNode& root, Package& package);

// Parts of it, in manifest_programs.cpp and manifest_schedules.cpp.
void read_programs(const JsonNode& node, Package& package);
void read_schedules(const JsonNode& node, Package& package);

}  // namespace yanrt
