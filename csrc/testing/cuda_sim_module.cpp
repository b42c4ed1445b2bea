// yanrt._cuda_sim: how tests set the simulator and read what it found. Builds with YANRT_CUDA=SIM only.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <stdexcept>

#include "testing/cuda_sim/selftest/case.h"
#include "testing/cuda_sim/sim.h"

namespace py = pybind11;

namespace yanrt::cuda_sim {
namespace {

Order parse_order(const std::string& order) {
  if (order == "fifo") return Order::fifo;
  if (order == "lifo") return Order::lifo;
  if (order == "random") return Order::random;
  throw std::invalid_argument("order '" + order + "' is not one of fifo, lifo, random");
}

py::dict counts_of(const Stats& counts) {
  py::dict d;
  d["launches"] = counts.launches;
  d["blocks"] = counts.blocks;
  d["threads"] = counts.threads;
  d["switches"] = counts.switches;
  d["accesses"] = counts.accesses;
  d["barriers"] = counts.barriers;
  d["collectives"] = counts.collectives;
  d["mma_steps"] = counts.mma_steps;
  d["shared_requests"] = counts.shared_requests;
  d["bank_conflicts"] = counts.bank_conflicts;
  d["graph_launches"] = counts.graph_launches;
  d["copies"] = counts.copies;
  d["api_calls"] = counts.api_calls;
  return d;
}

}  // namespace

PYBIND11_MODULE(_cuda_sim, m) {
  m.def(
      "configure",
      [](const std::string& order, uint64_t seed, double preempt, bool checks, bool banks, bool hardware_sums, int arch,
         int devices, size_t device_bytes) {
        configure({.order = parse_order(order),
                   .seed = seed,
                   .preempt = preempt,
                   .checks = checks,
                   .banks = banks,
                   .hardware_sums = hardware_sums,
                   .arch = arch,
                   .devices = devices,
                   .device_bytes = device_bytes});
      },
      py::kw_only(), py::arg("order") = "fifo", py::arg("seed") = 1, py::arg("preempt") = 0.0, py::arg("checks") = true,
      py::arg("banks") = false, py::arg("hardware_sums") = false, py::arg("arch") = 89, py::arg("devices") = 1,
      py::arg("device_bytes") = size_t{4} << 30);
  // [(kind, text)] since the last call.
  m.def("take_reports", [] {
    std::vector<std::pair<std::string, std::string>> found;
    for (const Report& report : take_reports()) found.emplace_back(report.kind, report.text);
    return found;
  });
  m.def("stats", [] { return counts_of(stats()); });
  m.def("reset_stats", &reset_stats);
  // A line for every case of the self-test: "ok|FAIL <name> [order] | expected | got".
  m.def("selftest", &cuda_selftest::run_all);
  // What is alive now: zero of everything once all users are gone.
  m.def("live", [] {
    const Live live = live_objects();
    py::dict d;
    d["streams"] = live.streams;
    d["events"] = live.events;
    d["graphs"] = live.graphs;
    d["device_bytes"] = live.device_bytes;
    d["pinned_bytes"] = live.pinned_bytes;
    return d;
  });
}

}  // namespace yanrt::cuda_sim
