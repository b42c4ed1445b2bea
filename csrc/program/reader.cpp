#include "program/reader.h"

#include <algorithm>

#include "core/crc32c.h"
#include "core/error.h"
#include "program/manifest.h"
#include "program/mapped_file.h"
#include "program/quote.h"
#include "program/safetensors.h"
#include "program/verifier.h"

namespace yanrt {
namespace {

constexpr const char* kManifestKey = "yanrt";
constexpr const char* kChecksumKey = "yanrt.crc32c";

std::string hex(uint32_t value) {
  std::string digits(8, '0');
  for (size_t i = 8; i-- > 0; value >>= 4) digits[i] = "0123456789abcdef"[value & 15];
  return digits;
}

[[noreturn]] void fail(const std::string& label, const std::string& why) {
  throw Error(ErrorKind::package, label + ": " + why);
}

std::string take_manifest(SafetensorsFile& file, const std::string& label) {
  for (const char* key : {kManifestKey, kChecksumKey})
    if (!file.metadata.contains(key))
      fail(label,
           "its header has no __metadata__ '" + std::string(key) + "': a safetensors file, but no yanrt package");
  std::string manifest = std::move(file.metadata[kManifestKey]);
  const std::string actual = hex(crc32c(std::as_bytes(std::span(manifest))));
  if (file.metadata[kChecksumKey] != actual)
    fail(label, "the manifest's CRC32C is " + actual + ", the header says " + quote(file.metadata[kChecksumKey]) +
                    ": the file is damaged; download or export the package again");
  return manifest;
}

void check_tensor_bytes(const StoredTensor& tensor, const std::string& label) {
  const uint32_t actual = crc32c(tensor.data);
  if (actual != tensor.crc32c)
    fail(label, "the CRC32C of tensor " + quote(tensor.name) + " is " + hex(actual) + ", the manifest says " +
                    hex(tensor.crc32c) + ": the file is damaged; download or export the package again");
  if (tensor.dtype != DType::boolean) return;
  const auto bad = std::find_if(tensor.data.begin(), tensor.data.end(), [](std::byte b) { return b > std::byte{1}; });
  if (bad != tensor.data.end())
    fail(label, "tensor " + quote(tensor.name) + " is BOOL but holds the byte " +
                    std::to_string(static_cast<int>(*bad)) + " at " + std::to_string(bad - tensor.data.begin()));
}

std::shared_ptr<const Package> read(std::shared_ptr<const MappedFile> bytes, const std::string& label) {
  SafetensorsFile file = parse_safetensors(bytes->bytes(), label);
  auto package = std::make_shared<Package>();
  package->path = label;
  package->file = std::move(bytes);
  package->manifest = take_manifest(file, label);
  package->tensors = std::move(file.tensors);
  const JsonDocument document(package->manifest, label + ": manifest");
  read_manifest(document.root(), *package);
  for (const auto& [name, tensor] : package->tensors) check_tensor_bytes(tensor, label);
  verify(*package);
  return package;
}

}  // namespace

std::shared_ptr<const Package> read_package(const std::string& path) { return read(MappedFile::open(path), path); }

std::shared_ptr<const Package> read_package_bytes(std::span<const std::byte> bytes, const std::string& label) {
  return read(MappedFile::copy(bytes), label);
}

}  // namespace yanrt
