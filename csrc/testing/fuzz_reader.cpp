// Reads packages and, where they are valid and small, runs each of their programs once: for address and
// undefined-behaviour sanitizers. Refusing a package is a success; only a crash or a report of a sanitizer is not.
//
//   fuzz_reader PATH...             packages, or folders of packages
//   fuzz_reader --mutate N PATH     N mutations of the bytes of one package, from a fixed seed
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "backends/cpu/backend.h"
#include "core/error.h"
#include "program/dump.h"
#include "program/reader.h"
#include "runtime/runner.h"

namespace yanrt {
namespace {

constexpr int64_t kMaxElements = 100'000;  // of all values together, for a package to be run

struct Count {
  int refused = 0, read = 0, run = 0, unsupported = 0;
};

int64_t elements(const Package& package) {
  int64_t count = 0;
  for (const auto& [name, program] : package.programs)
    for (const Value& value : program.values) count += value.shape.numel();
  for (const auto& [name, state] : package.states) count += state.shape.numel();
  return count;
}

void run_programs(std::shared_ptr<const Package> package, Precision precision) {
  const auto engine = std::make_shared<const Engine>(
      package, std::make_unique<cpu::CpuBackend>(cpu::Options{.threads = 2, .isa = "auto", .count_only = false}),
      precision);
  Runner runner(engine);
  for (const auto& [name, program] : package->programs) {
    const Plan& plan = engine->program(name).plan;
    std::vector<std::vector<std::byte>> buffers;  // zeroed
    std::vector<const std::byte*> inputs;
    std::vector<std::byte*> outputs;
    for (const PlannedPort& port : plan.inputs) inputs.push_back(buffers.emplace_back(port.desc.bytes()).data());
    for (const PlannedPort& port : plan.outputs) outputs.push_back(buffers.emplace_back(port.desc.bytes()).data());
    runner.run(name, inputs, outputs);
    if (dump(program).empty()) std::abort();
  }
}

void try_package(std::span<const std::byte> bytes, Count& count) {
  std::shared_ptr<const Package> package;
  try {
    package = read_package_bytes(bytes, "fuzzed");
  } catch (const Error& e) {
    if (e.kind() != ErrorKind::package) throw;
    ++count.refused;
    return;
  }
  ++count.read;
  if (elements(*package) > kMaxElements) return;
  for (Precision precision : kPrecisions) {
    try {
      run_programs(package, precision);
      ++count.run;
    } catch (const Error& e) {
      if (e.kind() != ErrorKind::unsupported) throw;
      ++count.unsupported;
    }
  }
}

std::vector<std::byte> load(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> text{std::istreambuf_iterator<char>(file), {}};
  std::vector<std::byte> bytes(text.size());
  std::memcpy(bytes.data(), text.data(), text.size());
  return bytes;
}

// Flips bits, writes random words or cuts the end off. Checksums are not mended: tests/program/mutate.py does that.
std::vector<std::byte> mutated(std::vector<std::byte> bytes, std::mt19937_64& random) {
  const int changes = 1 + static_cast<int>(random() % 8);
  for (int i = 0; i < changes; ++i) bytes[random() % bytes.size()] ^= std::byte{1} << (random() % 8);
  if (random() % 4 == 0) bytes.resize(random() % bytes.size() + 1);
  return bytes;
}

int run(const std::vector<std::string>& arguments) {
  Count count;
  if (arguments.size() == 3 && arguments[0] == "--mutate") {
    const std::vector<std::byte> seed = load(arguments[2]);
    std::mt19937_64 random(1);
    for (int i = std::stoi(arguments[1]); i > 0; --i) try_package(mutated(seed, random), count);
  } else {
    for (const std::string& argument : arguments) {
      std::vector<std::filesystem::path> paths{argument};
      if (std::filesystem::is_directory(argument))
        paths = {std::filesystem::directory_iterator(argument), std::filesystem::directory_iterator()};
      for (const auto& path : paths) try_package(load(path), count);
    }
  }
  std::printf("%d refused, %d read; %d runs, %d of them unsupported\n", count.refused, count.read,
              count.run + count.unsupported, count.unsupported);
  return 0;
}

}  // namespace
}  // namespace yanrt

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.empty()) {
    std::fprintf(stderr, "usage: fuzz_reader PATH... | fuzz_reader --mutate N PATH\n");
    return 2;
  }
  return yanrt::run(arguments);
}
