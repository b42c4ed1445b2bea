#include "runtime/session.h"

#include "bindings/bindings.h"
#include "core/error.h"

namespace yanrt::bindings {
namespace {

TensorDesc action_desc(const Session& session) {
  const Package& p = session.engine().package();
  return TensorDesc::dense(DType::f32, {p.batch, p.temporal_factor, static_cast<int64_t>(p.buttons.size())});
}

TensorDesc frames_desc(const Session& session) {
  const Package& p = session.engine().package();
  return TensorDesc::dense(DType::u8, {p.batch, p.temporal_factor, p.height, p.width, 3});
}

TensorDesc latent_desc(const Session& session) { return TensorDesc::dense(DType::f32, session.latent_shape()); }

py::dict timing_dict(std::span<const PhaseTime> times) {
  py::dict timing;
  for (const PhaseTime& time : times) timing[py::str(*time.name)] = time.milliseconds;
  return timing;
}

py::dict step(Session& session, const py::array& action, py::array out) {
  const auto in = checked_array(action, action_desc(session), "action");
  const auto frames = checked_array(out, frames_desc(session), "out");
  if (!out.writeable()) throw Error(ErrorKind::argument, "out is read-only: pass an array that can be written");
  std::span<const PhaseTime> times;
  {
    const py::gil_scoped_release release;
    times = session.step(in, frames);
  }
  return timing_dict(times);
}

void submit(Session& session, const py::array& action) {
  const auto in = checked_array(action, action_desc(session), "action");
  const py::gil_scoped_release release;
  session.submit(in);
}

py::dict collect(Session& session, py::array out) {
  const auto frames = checked_array(out, frames_desc(session), "out");
  if (!out.writeable()) throw Error(ErrorKind::argument, "out is read-only: pass an array that can be written");
  std::span<const PhaseTime> times;
  {
    const py::gil_scoped_release release;
    times = session.collect(frames);
  }
  return timing_dict(times);
}

py::array encode(Session& session, const py::array& frames) {
  const auto in = checked_array(frames, frames_desc(session), "frames");
  py::array latent = new_array(latent_desc(session));
  const std::span<std::byte> out{static_cast<std::byte*>(latent.mutable_data()), session.latent_bytes()};
  const py::gil_scoped_release release;
  session.encode(in, out);
  return latent;
}

py::array decode(Session& session, const py::array& latent) {
  const auto in = checked_array(latent, latent_desc(session), "latent");
  py::array frames = new_array(frames_desc(session));
  const std::span<std::byte> out{static_cast<std::byte*>(frames.mutable_data()), session.frames_bytes()};
  const py::gil_scoped_release release;
  session.decode(in, out);
  return frames;
}

void append(Session& session, const py::array& latent, const py::array& action) {
  const auto z = checked_array(latent, latent_desc(session), "latent");
  const auto a = checked_array(action, action_desc(session), "action");
  const py::gil_scoped_release release;
  session.append(z, a);
}

py::bytes snapshot(const Session& session) {
  std::vector<std::byte> bytes;
  {
    const py::gil_scoped_release release;
    bytes = session.snapshot();
  }
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

py::dict counters(const Session& session) {
  const SessionCounters c = session.counters();
  py::dict d;
  d["appended"] = c.appended;
  d["primed"] = c.primed;
  d["steps"] = c.steps;
  return d;
}

}  // namespace

void bind_session(py::module_& m) {
  py::class_<Session>(m, "Session")
      .def(py::init([](const std::shared_ptr<Engine>& engine, const std::string& schedule) {
             const py::gil_scoped_release release;
             return std::make_unique<Session>(engine, schedule);
           }),
           py::arg("engine"), py::arg("schedule"))
      .def(
          "reset", [](Session& session, const std::vector<int64_t>& seeds) { session.reset(seeds); }, py::arg("seeds"),
          py::call_guard<py::gil_scoped_release>())
      .def("encode", &encode, py::arg("frames"))
      .def("decode", &decode, py::arg("latent"))
      .def("append", &append, py::arg("latent"), py::arg("action"))
      .def("frames_address",
           [](const Session& session) { return reinterpret_cast<uintptr_t>(session.frames_on_device()); })
      .def("prime", &Session::prime, py::call_guard<py::gil_scoped_release>())
      .def("step", &step, py::arg("action"), py::arg("out"))
      .def("submit", &submit, py::arg("action"))
      .def("collect", &collect, py::arg("out"))
      .def_property_readonly("depth", &Session::depth)
      .def("snapshot", &snapshot)
      .def("restore",
           [](Session& session, const py::bytes& data) {
             const std::string_view view = data;
             const py::gil_scoped_release release;
             session.restore(std::as_bytes(std::span(view)));
           })
      .def("fork", &Session::fork, py::call_guard<py::gil_scoped_release>())
      .def_property_readonly("counters", &counters)
      .def_property_readonly("delay", [](const Session& session) { return session.schedule().delay; });
}

}  // namespace yanrt::bindings
