// The names that an error offers instead of an unknown one.
#pragma once

#include <string>

#include "program/quote.h"

namespace yanrt {

// The keys of a map, quoted, for "it has ...": 'a', 'b'; "none" if it is empty.
template <class Map>
std::string quoted_keys(const Map& map) {
  std::string out;
  for (const auto& [key, value] : map) out += (out.empty() ? "" : ", ") + quote(key);
  return out.empty() ? "none" : out;
}

}  // namespace yanrt
