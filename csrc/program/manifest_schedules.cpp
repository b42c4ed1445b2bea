#include "program/manifest.h"

namespace yanrt {
namespace {

constexpr int64_t kMaxDelay = 1024;

std::vector<SlotBinding> read_bindings(const JsonNode& node) {
  std::vector<SlotBinding> bindings;
  for (const auto& [port, slot] : node.members()) bindings.push_back({.port = port, .slot = slot.text()});
  return bindings;
}

std::vector<Phase> read_phases(const JsonNode& node) {
  std::vector<Phase> phases;
  for (const JsonNode& entry : node.elements()) {
    entry.expect_keys({"name", "program", "in", "out"});
    phases.push_back({.name = entry.member("name").text(),
                      .program = entry.member("program").text(),
                      .inputs = read_bindings(entry.member("in")),
                      .outputs = read_bindings(entry.member("out"))});
  }
  return phases;
}

}  // namespace

void read_schedules(const JsonNode& node, Package& package) {
  for (const auto& [name, entry] : node.members()) {
    entry.expect_keys({"delay", "on_step", "on_append", "on_encode"});
    Schedule schedule{.name = name, .on_step = {}, .on_append = {}, .on_encode = {}};
    schedule.delay = static_cast<int>(entry.member("delay").integer(0, kMaxDelay));
    schedule.on_step = read_phases(entry.member("on_step"));
    if (const auto phases = entry.find("on_append")) schedule.on_append = read_phases(*phases);
    if (const auto phases = entry.find("on_encode")) schedule.on_encode = read_phases(*phases);
    package.schedules[name] = std::move(schedule);
  }
}

}  // namespace yanrt
