#include "program/json_node.h"

#include <charconv>
#include <limits>

#include "core/error.h"
#include "nlohmann/json.hpp"
#include "program/quote.h"

namespace yanrt {

using nlohmann::json;

namespace {

constexpr int kMaxDepth = 32;
constexpr int64_t kMaxJsonValues = 2'000'000;
constexpr int64_t kMaxNumel = std::numeric_limits<int32_t>::max();

// Sees the document while it is parsed, before much of it is in memory.
class Limits {
 public:
  bool operator()(int depth, json::parse_event_t event, const json& parsed) {
    if (depth > kMaxDepth)
      throw Error(ErrorKind::package, "nested deeper than " + std::to_string(kMaxDepth) + " levels");
    if (++values_ > kMaxJsonValues)
      throw Error(ErrorKind::package, "more than " + std::to_string(kMaxJsonValues) + " values");
    if (event == json::parse_event_t::object_start) keys_.push_back(0);
    if (event == json::parse_event_t::key) ++keys_.back();
    if (event == json::parse_event_t::object_end) {
      if (keys_.back() != parsed.size())
        throw Error(ErrorKind::package, "an object names a key twice: " + shown(parsed));
      keys_.pop_back();
    }
    return true;
  }

 private:
  static std::string shown(const json& object) {
    std::string out;
    for (const auto& [key, value] : object.items()) {
      if (out.size() > 80) break;
      out += (out.empty() ? "" : ", ") + quote(key);
    }
    return out;
  }
  std::vector<size_t> keys_;  // read so far, of each open object
  int64_t values_ = 0;
};

}  // namespace

JsonDocument::JsonDocument(std::string_view text, std::string where) : where_(std::move(where)) {
  Limits limits;
  try {
    json_ = std::make_unique<json>(json::parse(text, std::ref(limits)));
  } catch (const json::exception& e) {
    // The parser quotes the text it choked on, whatever bytes that is.
    throw Error(ErrorKind::package, where_ + ": no valid JSON: " + quote(e.what(), 240));
  } catch (const Error& e) {
    throw Error(ErrorKind::package, where_ + ": " + e.what());
  }
}

JsonDocument::~JsonDocument() = default;
JsonNode JsonDocument::root() const { return {*json_, where_}; }

void JsonNode::fail(const std::string& why) const { throw Error(ErrorKind::package, where_ + ": " + why); }

std::string JsonNode::shown() const {
  return json_->is_structured() ? "a " + std::string(json_->type_name()) + " of " + std::to_string(json_->size())
                                : quote(json_->dump());
}

void JsonNode::expect_keys(std::span<const std::string_view> known) const {
  if (!json_->is_object()) fail("must be an object; it is " + shown());
  for (const auto& [key, value] : json_->items()) {
    bool found = false;
    for (std::string_view name : known) found = found || key == name;
    if (found) continue;
    std::string names;
    for (std::string_view name : known) names += (names.empty() ? "" : ", ") + std::string(name);
    fail("unknown key " + quote(key) + "; known: " + (names.empty() ? "none" : names));
  }
}

JsonNode JsonNode::member(std::string_view key) const {
  std::optional<JsonNode> found = find(key);
  if (!found) fail("the key '" + std::string(key) + "' is missing");
  return *found;
}

std::optional<JsonNode> JsonNode::find(std::string_view key) const {
  if (!json_->is_object()) fail("must be an object; it is " + shown());
  const auto it = json_->find(key);
  if (it == json_->end()) return std::nullopt;
  return JsonNode(*it, where_ + " " + std::string(key));
}

std::vector<std::pair<std::string, JsonNode>> JsonNode::members() const {
  if (!json_->is_object()) fail("must be an object; it is " + shown());
  std::vector<std::pair<std::string, JsonNode>> out;
  for (const auto& [key, value] : json_->items()) {
    if (key.empty() || key.size() > 256) fail("the name " + quote(key) + " must have 1 to 256 bytes");
    out.emplace_back(key, JsonNode(value, where_ + " " + quote(key)));
  }
  return out;
}

std::vector<JsonNode> JsonNode::elements() const {
  if (!json_->is_array()) fail("must be a list; it is " + shown());
  std::vector<JsonNode> out;
  out.reserve(json_->size());
  for (size_t i = 0; i < json_->size(); ++i) out.emplace_back((*json_)[i], where_ + "[" + std::to_string(i) + "]");
  return out;
}

int64_t JsonNode::integer(int64_t low, int64_t high) const {
  const auto range = [&] { return std::to_string(low) + " to " + std::to_string(high); };
  if (!json_->is_number_integer()) fail("must be an integer from " + range() + "; it is " + shown());
  const bool too_large = json_->is_number_unsigned() &&
                         json_->get<uint64_t>() > static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  if (too_large || json_->get<int64_t>() < low || json_->get<int64_t>() > high)
    fail(shown() + " is out of range; must be " + range());
  return json_->get<int64_t>();
}

double JsonNode::real() const {
  if (!json_->is_number()) fail("must be a number; it is " + shown());
  return json_->get<double>();
}

std::string JsonNode::text(size_t max_size) const {
  if (!json_->is_string()) fail("must be a string; it is " + shown());
  const auto& value = json_->get_ref<const std::string&>();
  if (value.size() > max_size)
    fail("has " + std::to_string(value.size()) + " bytes; at most " + std::to_string(max_size) + " are allowed");
  return value;
}

std::vector<int64_t> JsonNode::integers(int64_t low, int64_t high) const {
  std::vector<int64_t> out;
  for (const JsonNode& element : elements()) out.push_back(element.integer(low, high));
  return out;
}

std::vector<std::string> JsonNode::texts() const {
  std::vector<std::string> out;
  for (const JsonNode& element : elements()) out.push_back(element.text());
  return out;
}

Dims JsonNode::shape() const {
  if (!json_->is_array()) fail("a shape must be a list; it is " + shown());
  if (json_->size() > kMaxRank)
    fail("has " + std::to_string(json_->size()) + " dimensions; at most " + std::to_string(kMaxRank) + " are allowed");
  Dims dims;
  int64_t numel = 1;
  for (const JsonNode& element : elements()) {
    dims.push_back(element.integer(1, kMaxNumel));
    numel *= dims[-1];  // below 2^62: the product so far is below 2^31
    if (numel > kMaxNumel) fail("the shape has more than " + std::to_string(kMaxNumel) + " elements");
  }
  return dims;
}

DType JsonNode::dtype() const {
  const std::string name = text();
  for (DType dtype : {DType::f32, DType::i64, DType::i32, DType::u8, DType::boolean})
    if (name == name_of(dtype)) return dtype;
  fail(quote(name) + " is no dtype; known: f32, i64, i32, u8, bool");
}

uint32_t JsonNode::hex32() const {
  const std::string digits = text();
  uint32_t value = 0;
  if (digits.size() != 8 || digits.find_first_not_of("0123456789abcdef") != std::string::npos)
    fail(quote(digits) + " is no checksum; write eight lower-case hex digits");
  std::from_chars(digits.data(), digits.data() + 8, value, 16);
  return value;
}

}  // namespace yanrt
