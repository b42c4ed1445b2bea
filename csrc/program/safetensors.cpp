#include "program/safetensors.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "program/json_node.h"
#include "program/quote.h"

namespace yanrt {
namespace {

constexpr size_t kLengthBytes = 8;
constexpr uint64_t kMaxHeaderBytes = 32 << 20;

[[noreturn]] void fail(const std::string& label, const std::string& why) {
  throw Error(ErrorKind::package, label + ": " + why);
}

std::string_view find_header(std::span<const std::byte> bytes, const std::string& label) {
  const std::string size = std::to_string(bytes.size());
  if (bytes.size() < kLengthBytes + 2)
    fail(label, "only " + size + " bytes; no safetensors file is that short: download or export the package again");
  uint64_t length = 0;
  for (size_t i = 0; i < kLengthBytes; ++i) length |= static_cast<uint64_t>(bytes[i]) << (8 * i);
  if (length > kMaxHeaderBytes)
    fail(label, "its header claims " + std::to_string(length) + " bytes; at most " + std::to_string(kMaxHeaderBytes) +
                    " are allowed: this is no package");
  if (length > bytes.size() - kLengthBytes)
    fail(label, "its header claims " + std::to_string(length) + " bytes, but the file has " + size +
                    ": it is truncated; download or export the package again");
  return {reinterpret_cast<const char*>(bytes.data()) + kLengthBytes, static_cast<size_t>(length)};
}

DType stored_dtype(const JsonNode& node) {
  constexpr std::pair<std::string_view, DType> kNames[] = {
      {"F32", DType::f32}, {"BF16", DType::bf16}, {"F8_E4M3", DType::f8e4m3}, {"I64", DType::i64},
      {"I32", DType::i32}, {"U8", DType::u8},     {"BOOL", DType::boolean}};
  const std::string name = node.text();
  for (const auto& [known, dtype] : kNames)
    if (name == known) return dtype;
  node.fail(quote(name) + " cannot be stored in a package; known: F32, BF16, F8_E4M3, I64, I32, U8, BOOL");
}

StoredTensor read_tensor(const std::string& name, const JsonNode& node, std::span<const std::byte> data) {
  node.expect_keys({"dtype", "shape", "data_offsets"});
  StoredTensor tensor{.name = name,
                      .dtype = stored_dtype(node.member("dtype")),
                      .shape = node.member("shape").shape(),
                      .data = {},
                      .scale = {}};
  const JsonNode offsets = node.member("data_offsets");
  const std::vector<int64_t> range = offsets.integers(0, std::numeric_limits<int64_t>::max());
  if (range.size() != 2 || range[0] > range[1]) offsets.fail("must be two offsets, the end not before the begin");
  const auto begin = static_cast<size_t>(range[0]), end = static_cast<size_t>(range[1]);
  if (end > data.size())
    offsets.fail("ends at byte " + std::to_string(end) + " of " + std::to_string(data.size()) +
                 " bytes of data: the file is truncated; download or export the package again");
  const size_t wanted = static_cast<size_t>(tensor.shape.numel()) * size_of(tensor.dtype);
  if (end - begin != wanted)
    offsets.fail("holds " + std::to_string(end - begin) + " bytes; " + std::string(name_of(tensor.dtype)) +
                 tensor.shape.str() + " takes " + std::to_string(wanted));
  tensor.data = data.subspan(begin, wanted);
  if (reinterpret_cast<uintptr_t>(tensor.data.data()) % size_of(tensor.dtype) != 0)
    offsets.fail("starts at byte " + std::to_string(begin) + ", which is not aligned to the " +
                 std::to_string(size_of(tensor.dtype)) + " bytes of its dtype; export the package again");
  return tensor;
}

// A gap could hide bytes that no checksum covers; an overlap is never meant.
void check_coverage(const std::map<std::string, StoredTensor>& tensors, std::span<const std::byte> data,
                    const std::string& label) {
  std::vector<const StoredTensor*> ordered;
  for (const auto& [name, tensor] : tensors) ordered.push_back(&tensor);
  std::sort(ordered.begin(), ordered.end(),
            [](const auto* a, const auto* b) { return a->data.data() < b->data.data(); });
  size_t covered = 0;
  for (const StoredTensor* tensor : ordered) {
    const auto begin = static_cast<size_t>(tensor->data.data() - data.data());
    if (begin != covered)
      fail(label, "tensor " + quote(tensor->name) + " starts at byte " + std::to_string(begin) + " of the data; the " +
                      (begin < covered ? "tensor before it ends" : "bytes before it are unused from byte") + " " +
                      std::to_string(covered));
    covered += tensor->data.size();
  }
  if (covered != data.size())
    fail(label, "its tensors cover " + std::to_string(covered) + " of " + std::to_string(data.size()) +
                    " bytes of data; the rest belongs to nobody");
}

}  // namespace

SafetensorsFile parse_safetensors(std::span<const std::byte> bytes, const std::string& label) {
  const std::string_view header = find_header(bytes, label);
  const std::span<const std::byte> data = bytes.subspan(kLengthBytes + header.size());
  const JsonDocument document(header, label + ": header");
  SafetensorsFile file;
  for (const auto& [name, node] : document.root().members()) {
    if (name == "__metadata__") {
      for (const auto& [key, value] : node.members()) file.metadata[key] = value.text(kMaxHeaderBytes);
    } else {
      file.tensors[name] = read_tensor(name, node, data);
    }
  }
  check_coverage(file.tensors, data, label);
  return file;
}

}  // namespace yanrt
