// yanrt._testing: what tests need to see of the runtime and users do not. Test builds only.
#include <dlfcn.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <sched.h>

#include <array>
#include <chrono>
#include <thread>

#include "backends/cpu/backend.h"
#include "backends/cpu/processors.h"
#include "backends/cpu/thread_pool.h"
#include "core/ops.h"
#include "program/reader.h"
#include "runtime/memory_planner.h"
#include "runtime/session.h"

namespace py = pybind11;

namespace yanrt {
namespace {

// Plans point to a program and an op; these stand for them.
const Program& test_program() {
  static const Program program = [] {
    Program p;
    p.name = "test";
    return p;
  }();
  return program;
}
const OpNode& test_node() {
  static const OpNode node{.def = find_op("copy"), .inputs = {}, .outputs = {}, .attrs = {}, .source = "test"};
  return node;
}

// A plan of ops that read and write numbered buffers: reads[i] and writes[i] belong to op i.
Plan make_plan(const std::vector<size_t>& bytes, const std::vector<std::vector<int>>& reads,
               const std::vector<std::vector<int>>& writes) {
  Plan plan;
  plan.program = &test_program();
  for (size_t b : bytes) plan.buffers.push_back({.bytes = align_up(b)});
  for (size_t i = 0; i < reads.size(); ++i) {
    PlannedOp op{.node = &test_node(), .inputs = {}, .outputs = {}, .store = {}};
    const auto add = [&](std::vector<Operand>& operands, int index) {
      operands.push_back({.arena = Arena::workspace,
                          .index = index,
                          .desc = TensorDesc::dense(DType::u8, {static_cast<int64_t>(bytes[index])})});
    };
    for (int index : reads[i]) add(op.inputs, index);
    for (int index : writes[i]) add(op.outputs, index);
    plan.ops.push_back(op);
  }
  return plan;
}

// Steps a session with no action and returns how many times the process allocated meanwhile; needs alloc_counter
// preloaded.
long allocations_in_steps(const std::string& path, const std::string& schedule, const std::string& precision,
                          int threads, int steps) {
  auto* count = reinterpret_cast<long (*)()>(dlsym(RTLD_DEFAULT, "yanrt_allocation_count"));
  if (!count) throw std::runtime_error("preload the allocation counter: LD_PRELOAD=.../libyanrt_alloc_counter.so");
  auto backend = std::make_unique<cpu::CpuBackend>(cpu::Options{.threads = threads});
  const auto engine = std::make_shared<Engine>(read_package(path), std::move(backend), parse_precision(precision));
  Session session(engine, schedule);
  session.prime();
  const std::vector<std::byte> action(session.action_bytes());
  std::vector<std::byte> frames(session.frames_bytes());
  session.step(action, frames);
  const long before = count();
  for (int i = 0; i < steps; ++i) session.step(action, frames);
  return count() - before;
}

// As if the machine had nothing else to do, and far too much.
int idle_machine() noexcept { return 2; }
int busy_machine() noexcept { return 1'000'000; }

// A run of a pool of two in which the system has put worker 1 on the processor of worker 0: where both were at each
// barrier.
struct CrowdedRun {
  cpu::ThreadPool& pool;
  int processor;
  std::vector<std::array<int, 2>> seen;

  static void run(void* self, int worker, int) {
    auto& job = *static_cast<CrowdedRun*>(self);
    if (worker == 1) {
      cpu_set_t mask;
      sched_getaffinity(0, sizeof(mask), &mask);
      cpu::pin_this_thread(job.processor);
      sched_setaffinity(0, sizeof(mask), &mask);
    }
    for (std::array<int, 2>& seen : job.seen) {
      seen[static_cast<size_t>(worker)] = cpu::this_processor();
      const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(20);
      while (std::chrono::steady_clock::now() < end) {
      }
      job.pool.barrier().wait(worker);
    }
  }
};

std::vector<std::array<int, 2>> crowded_run(int processor, size_t meetings) {
  std::vector<std::array<int, 2>> seen(meetings);
  std::thread([&] {  // its affinity is nobody else's
    cpu::ThreadPool pool(2, idle_machine);
    cpu::pin_this_thread(processor);
    CrowdedRun run{pool, processor, std::move(seen)};
    pool.run(CrowdedRun::run, &run);
    seen = std::move(run.seen);
  })
      .join();
  return seen;
}

}  // namespace

PYBIND11_MODULE(_testing, m) {
  m.def("place", [](const std::vector<size_t>& bytes, const std::vector<std::vector<int>>& reads,
                    const std::vector<std::vector<int>>& writes) {
    Plan plan = make_plan(bytes, reads, writes);
    plan_memory(plan);
    std::vector<size_t> offsets;
    for (const WorkspaceBuffer& buffer : plan.buffers) offsets.push_back(buffer.offset);
    return std::pair(offsets, plan.workspace_bytes);
  });
  // Raises RuntimeError if the independent checker refuses these offsets.
  m.def("check", [](const std::vector<size_t>& bytes, const std::vector<std::vector<int>>& reads,
                    const std::vector<std::vector<int>>& writes, const std::vector<size_t>& offsets, size_t workspace) {
    Plan plan = make_plan(bytes, reads, writes);
    for (size_t i = 0; i < offsets.size(); ++i) plan.buffers[i].offset = offsets[i];
    plan.workspace_bytes = workspace;
    check_plan(plan);
  });
  m.def("allocations_in_steps", &allocations_in_steps, py::arg("path"), py::arg("schedule"), py::arg("precision"),
        py::arg("threads"), py::arg("steps"));
  py::class_<cpu::Places>(m, "Places")
      .def(py::init([](int workers, bool busy) {
             return std::make_unique<cpu::Places>(workers, busy ? busy_machine : idle_machine);
           }),
           py::arg("workers"), py::arg("busy"))
      .def("note", &cpu::Places::note)
      .def("leave", &cpu::Places::leave)
      .def("crowded", &cpu::Places::crowded);
  m.def("this_processor", &cpu::this_processor);
  m.def("move_to_idle", [](const std::vector<int>& taken, int runnable) { return cpu::move_to_idle(taken, runnable); });
  m.def("runnable_threads", &cpu::runnable_threads);
  m.def("crowded_run", &crowded_run, py::arg("processor"), py::arg("meetings"),
        py::call_guard<py::gil_scoped_release>());
}

}  // namespace yanrt
