#pragma once

#include <string>
#include <string_view>

namespace yanrt {

// `text` in single quotes, cut to `shown` bytes, with whatever is not printable ASCII escaped: safe in any message.
std::string quote(std::string_view text, size_t shown = 80);

}  // namespace yanrt
