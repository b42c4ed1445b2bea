// Collects what the checks find, with the source line of each side.
#pragma once

#include <cstdint>
#include <string>

namespace yanrt::cuda_sim {

// Adds a report unless one of this kind and key is there already.
void report(const char* kind, const std::string& text, const std::string& key = "");
// printf into a string.
[[gnu::format(printf, 1, 2)]] std::string format(const char* pattern, ...);
// "file.cu:12" of a return address in this process; wrappers of the device header are skipped. "?" if unknown.
std::string source_line(uint64_t return_address);
// A path cut to its file name.
std::string base_name(const std::string& path);

}  // namespace yanrt::cuda_sim
