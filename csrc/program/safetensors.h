// The container of a package: https://github.com/huggingface/safetensors.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>

#include "program/program.h"

namespace yanrt {

struct SafetensorsFile {
  std::map<std::string, StoredTensor> tensors;  // name, dtype, shape and data; the rest is the manifest's
  std::map<std::string, std::string> metadata;
};

// Parses the header and locates every tensor: inside `bytes`, aligned to its dtype, together covering the data without
// gap or overlap. The spans of the result point into `bytes`. Throws Error(ErrorKind::package); `label` names the file.
SafetensorsFile parse_safetensors(std::span<const std::byte> bytes, const std::string& label);

}  // namespace yanrt
