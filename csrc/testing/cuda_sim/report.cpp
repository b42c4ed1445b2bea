#include "testing/cuda_sim/report.h"

#include <dlfcn.h>

#include <cstdarg>
#include <cstdio>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "testing/cuda_sim/sim.h"

namespace yanrt::cuda_sim {
namespace {

std::vector<Report> reports;
std::set<std::string> seen;

// Frames of the device header, the simulator and the toolkit are not what the reader wants to see.
bool is_wrapper(const std::string& line) {
  for (const char* part : {"/cuda_sim/device/", "/backends/cuda/device/", "/targets/", "/include/"})
    if (line.find(part) != std::string::npos) return true;
  return false;
}

// addr2line prints the innermost inlined frame first.
std::string innermost_user_frame(const char* file, uint64_t offset) {
  std::string line = "?";
  FILE* pipe = popen(format("addr2line -i -e '%s' %#lx 2>/dev/null", file, static_cast<long>(offset)).c_str(), "r");
  if (!pipe) return line;
  char buffer[1024];
  while (fgets(buffer, sizeof buffer, pipe)) {
    line = buffer;
    while (!line.empty() && (line.back() == '\n' || line.back() == ' ')) line.pop_back();
    if (!is_wrapper(line)) break;
  }
  pclose(pipe);
  const size_t note = line.find(" (disc");
  return note == std::string::npos ? line : line.substr(0, note);
}

}  // namespace

void report(const char* kind, const std::string& text, const std::string& key) {
  if (reports.size() < options().max_reports && seen.insert(kind + ('\n' + key)).second)
    reports.push_back({kind, text});
}

std::vector<Report> take_reports() {
  seen.clear();
  return std::exchange(reports, {});
}

std::string format(const char* pattern, ...) {
  char buffer[1024];
  va_list arguments;
  va_start(arguments, pattern);
  vsnprintf(buffer, sizeof buffer, pattern, arguments);
  va_end(arguments);
  return buffer;
}

std::string base_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

std::string source_line(uint64_t return_address) {
  static std::map<uint64_t, std::string> cache;
  if (const auto it = cache.find(return_address); it != cache.end()) return it->second;
  Dl_info info{};
  std::string line = "?";
  if (return_address && dladdr(reinterpret_cast<void*>(return_address), &info) && info.dli_fname) {
    // One byte back: the call, not the instruction after it.
    const uint64_t offset = return_address - 1 - reinterpret_cast<uint64_t>(info.dli_fbase);
    line = base_name(innermost_user_frame(info.dli_fname, offset));
  }
  return cache[return_address] = line;
}

}  // namespace yanrt::cuda_sim
