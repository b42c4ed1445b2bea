#pragma once

#include <memory>
#include <string>

#include "program/program.h"

namespace yanrt {

// Maps the file at `path`, parses it and verifies everything docs/package.md demands, checksums included.
// Throws Error(ErrorKind::package) naming what is wrong and where. Never reads outside the file.
std::shared_ptr<const Package> read_package(const std::string& path);

// The same for a package in memory (copied). `label` stands for the path in messages.
std::shared_ptr<const Package> read_package_bytes(std::span<const std::byte> bytes, const std::string& label);

}  // namespace yanrt
