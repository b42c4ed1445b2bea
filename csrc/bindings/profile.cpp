#include <algorithm>

#include "backends/cpu/ceiling.h"
#include "bindings/bindings.h"
#include "core/error.h"
#include "runtime/engine.h"
#include "runtime/profiler.h"

namespace yanrt::bindings {
namespace {

py::dict ceiling_dict(int threads, size_t working_set) {
  if (threads < 1) throw Error(ErrorKind::argument, "threads must be at least 1, got " + std::to_string(threads));
  cpu::Ceiling ceiling;
  {
    const py::gil_scoped_release release;
    ceiling = cpu::measure_ceiling(threads, working_set);
  }
  py::dict d;
  d["f32"] = ceiling.f32;
  d["f32_products"] = ceiling.f32_products;
  d["bf16"] = ceiling.bf16;
  d["int8"] = ceiling.int8;
  d["bytes"] = ceiling.bytes;
  return d;
}

// A profiler on an engine, from its construction to stop().
class Profile {
 public:
  Profile(std::shared_ptr<Engine> engine, const std::vector<std::string>& programs, size_t runs)
      : engine_(std::move(engine)), profiler_(engine_->info().threads, runs) {
    for (const std::string& program : programs) profiler_.watch(engine_->program(program).plan);
    engine_->set_profiler(&profiler_);
  }
  ~Profile() { stop(); }
  Profile(const Profile&) = delete;
  Profile& operator=(const Profile&) = delete;

  void stop() {
    if (recording_) engine_->set_profiler(nullptr);
    recording_ = false;
  }

  // i64 [runs, workers, ops, 2]: nanoseconds at which each worker began and ended each op, 0 if it had no share of it.
  py::array_t<int64_t> spans(const std::string& program) {
    stop();
    const Profiler::Record* record = profiler_.record(engine_->program(program).plan);
    if (!record) throw Error(ErrorKind::argument, "program '" + program + "' was not watched by this profile");
    const auto runs = static_cast<py::ssize_t>(record->runs), ops = static_cast<py::ssize_t>(record->ops);
    py::array_t<int64_t> array({runs, static_cast<py::ssize_t>(profiler_.workers()), ops, py::ssize_t{2}});
    static_assert(sizeof(Profiler::Span) == 2 * sizeof(int64_t));
    std::copy_n(reinterpret_cast<const int64_t*>(record->spans.data()), array.size(), array.mutable_data());
    return array;
  }

 private:
  std::shared_ptr<Engine> engine_;
  Profiler profiler_;
  bool recording_ = true;
};

}  // namespace

void bind_profile(py::module_& m) {
  m.def("measure_ceiling", &ceiling_dict, py::arg("threads"), py::arg("working_set") = cpu::kNoCache);
  py::class_<Profile>(m, "Profile")
      .def(py::init<std::shared_ptr<Engine>, const std::vector<std::string>&, size_t>(), py::arg("engine"),
           py::arg("programs"), py::arg("runs"), py::call_guard<py::gil_scoped_release>())
      .def("stop", &Profile::stop, py::call_guard<py::gil_scoped_release>())
      .def("spans", &Profile::spans, py::arg("program"));
}

}  // namespace yanrt::bindings
