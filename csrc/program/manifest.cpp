#include "program/manifest.h"

#include <set>

#include "program/quote.h"

namespace yanrt {
namespace {

constexpr int64_t kFormat = 1;
constexpr int64_t kMaxFrameSize = 16384;
constexpr int64_t kMaxTemporalFactor = 1024;
constexpr int64_t kMaxBatch = 65536;
constexpr double kLeastPeak = 1e-30, kLargestPeak = 1e30;

int small(const JsonNode& node, int64_t low, int64_t high) { return static_cast<int>(node.integer(low, high)); }

void read_frame(const JsonNode& node, Package& package) {
  node.expect_keys({"height", "width", "temporal_factor"});
  package.height = small(node.member("height"), 1, kMaxFrameSize);
  package.width = small(node.member("width"), 1, kMaxFrameSize);
  package.temporal_factor = small(node.member("temporal_factor"), 1, kMaxTemporalFactor);
}

void read_actions(const JsonNode& node, Package& package) {
  node.expect_keys({"buttons"});
  std::set<std::string> names;
  for (const JsonNode& button : node.member("buttons").elements()) {
    button.expect_keys({"name", "key"});
    package.buttons.push_back({.name = button.member("name").text(), .key = button.member("key").text()});
    if (!names.insert(package.buttons.back().name).second)
      button.fail("the name " + quote(package.buttons.back().name) + " is taken by an earlier button");
  }
}

// Between bounds that leave its reciprocal, and products with it, finite.
void read_input_peak(const JsonNode& node, StoredTensor& tensor) {
  if (!is_floating(tensor.dtype) || tensor.shape.rank() < 2)
    node.fail("belongs to weights, floating and of two dimensions or more; the tensor is " +
              std::string(name_of(tensor.dtype)) + tensor.shape.str());
  const double peak = node.real();
  if (!(peak >= kLeastPeak && peak <= kLargestPeak)) node.fail("must be 1e-30 to 1e30");
  tensor.input_peak = static_cast<float>(peak);
}

// Every tensor of the file has a checksum, and every checksum a tensor.
void read_tensors(const JsonNode& node, Package& package) {
  for (const auto& [name, entry] : node.members()) {
    entry.expect_keys({"crc32c", "scale", "input_peak"});
    const auto it = package.tensors.find(name);
    if (it == package.tensors.end()) entry.fail("the file has no tensor " + quote(name));
    it->second.crc32c = entry.member("crc32c").hex32();
    if (const auto scale = entry.find("scale")) it->second.scale = scale->text();
    if (const auto peak = entry.find("input_peak")) read_input_peak(*peak, it->second);
  }
  for (const auto& [name, tensor] : package.tensors)
    if (!node.find(name)) node.fail("the tensor " + quote(name) + " of the file has no checksum here");
}

void read_states(const JsonNode& node, Package& package) {
  for (const auto& [name, entry] : node.members()) {
    entry.expect_keys({"dtype", "shape", "kind", "role", "init"});
    StateDef state{
        .name = name, .dtype = entry.member("dtype").dtype(), .shape = entry.member("shape").shape(), .init = {}};
    const JsonNode kind = entry.member("kind");
    if (kind.text() != "exact" && kind.text() != "compute") kind.fail(quote(kind.text()) + " must be exact or compute");
    state.kind = kind.text() == "exact" ? StateKind::exact : StateKind::compute;
    if (const auto role = entry.find("role")) {
      if (role->text() != "seed") role->fail(quote(role->text()) + " is no role; the only one is seed");
      state.is_seed = true;
    }
    if (const auto init = entry.find("init")) state.init = init->text();
    package.states[name] = std::move(state);
  }
}

void read_start(const JsonNode& node, Package& package) {
  node.expect_keys({"latents", "actions"});
  if (const auto latents = node.find("latents")) package.start_latents = latents->text();
  if (const auto actions = node.find("actions")) package.start_actions = actions->text();
}

}  // namespace

void read_manifest(const JsonNode& root, Package& package) {
  const JsonNode format = root.member("format");
  const int64_t version = format.integer(0, 1'000'000);
  if (version != kFormat)
    format.fail("format " + std::to_string(version) + " is not known to this build, which reads format " +
                std::to_string(kFormat) + ": " + (version > kFormat ? "update yanrt" : "export the package again"));
  root.expect_keys({"format", "name", "fps", "frame", "batch", "actions", "tensors", "state", "programs", "schedules",
                    "start", "provenance"});
  package.name = root.member("name").text();
  const JsonNode fps = root.member("fps");
  package.fps = fps.real();
  if (!(package.fps > 0 && package.fps <= 1000)) fps.fail("must be above 0 and at most 1000 frames a second");
  read_frame(root.member("frame"), package);
  package.batch = small(root.member("batch"), 1, kMaxBatch);
  read_actions(root.member("actions"), package);
  read_tensors(root.member("tensors"), package);
  read_states(root.member("state"), package);
  read_programs(root.member("programs"), package);
  read_schedules(root.member("schedules"), package);
  if (const auto start = root.find("start")) read_start(*start, package);
}

}  // namespace yanrt
