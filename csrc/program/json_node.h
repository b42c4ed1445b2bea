// Checked access to JSON: every value knows the place it stands at, so that a wrong one is refused by name.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/dtype.h"
#include "core/shape.h"
#include "nlohmann/json_fwd.hpp"

namespace yanrt {

// A JSON document. Bounds what a hostile text can make us allocate: refuses more than 32 levels of nesting, more than
// two million values, and objects that name a key twice.
class JsonDocument {
 public:
  // `where` starts every message about it. Throws Error(ErrorKind::package).
  JsonDocument(std::string_view text, std::string where);
  ~JsonDocument();
  JsonDocument(const JsonDocument&) = delete;
  JsonDocument& operator=(const JsonDocument&) = delete;
  class JsonNode root() const;

 private:
  std::unique_ptr<nlohmann::json> json_;
  std::string where_;
};

// One value of a document, which must outlive it. All members throw Error(ErrorKind::package) naming the place.
class JsonNode {
 public:
  JsonNode(const nlohmann::json& json, std::string where) : json_(&json), where_(std::move(where)) {}

  // Refuses a value that is no object, or that has a key which is not in `known`.
  void expect_keys(std::span<const std::string_view> known) const;
  void expect_keys(std::initializer_list<std::string_view> known) const {
    expect_keys(std::span(known.begin(), known.size()));
  }
  JsonNode member(std::string_view key) const;
  std::optional<JsonNode> find(std::string_view key) const;
  // The members of an object, by key; the elements of a list.
  std::vector<std::pair<std::string, JsonNode>> members() const;
  std::vector<JsonNode> elements() const;

  int64_t integer(int64_t low, int64_t high) const;
  double real() const;
  // Of at most `max_size` bytes.
  std::string text(size_t max_size = 256) const;
  std::vector<int64_t> integers(int64_t low, int64_t high) const;
  std::vector<std::string> texts() const;
  // Extents of 1 to 2^31 - 1, at most kMaxRank of them, whose product stays below 2^31.
  Dims shape() const;
  // A dtype of the manifest: f32 i64 i32 u8 bool.
  DType dtype() const;
  // Eight lower-case hex digits.
  uint32_t hex32() const;

  [[noreturn]] void fail(const std::string& why) const;

 private:
  // The value as messages show it.
  std::string shown() const;

  const nlohmann::json* json_;
  std::string where_;
};

}  // namespace yanrt
