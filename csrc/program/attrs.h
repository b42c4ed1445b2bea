// Typed attributes of an op, checked against the table of ops when a package is read; access afterwards cannot fail.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace yanrt {

using AttrValue = std::variant<int64_t, double, std::vector<int64_t>, std::vector<std::string>, std::string>;

class Attrs {
 public:
  void set(std::string name, AttrValue value) { values_.emplace_back(std::move(name), std::move(value)); }
  int64_t integer(std::string_view name) const { return get<int64_t>(name); }
  double real(std::string_view name) const { return get<double>(name); }
  const std::vector<int64_t>& ints(std::string_view name) const { return get<std::vector<int64_t>>(name); }
  const std::vector<std::string>& strings(std::string_view name) const { return get<std::vector<std::string>>(name); }
  const std::string& choice(std::string_view name) const { return get<std::string>(name); }
  const std::vector<std::pair<std::string, AttrValue>>& all() const { return values_; }

 private:
  template <class T>
  const T& get(std::string_view name) const {
    for (const auto& [key, value] : values_)
      if (key == name) return std::get<T>(value);
    throw std::bad_variant_access();
  }
  std::vector<std::pair<std::string, AttrValue>> values_;
};

}  // namespace yanrt
