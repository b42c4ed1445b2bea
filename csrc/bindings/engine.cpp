#include "runtime/engine.h"

#include <charconv>

#include "backends/cpu/backend.h"
#include "backends/cuda/cuda.h"
#include "bindings/bindings.h"
#include "core/error.h"
#include "program/dump.h"
#include "program/reader.h"
#include "program/stored_tensor.h"
#include "runtime/cost.h"
#include "runtime/runner.h"

namespace yanrt::bindings {
namespace {

using PackagePtr = std::shared_ptr<const Package>;

// "cuda" and "cuda-sim" may name one of several devices: "cuda:1".
int parse_ordinal(const std::string& device, size_t colon) {
  int ordinal = 0;
  if (colon == std::string::npos) return ordinal;
  const char* end = device.data() + device.size();
  const auto [rest, failure] = std::from_chars(device.data() + colon + 1, end, ordinal);
  if (failure != std::errc() || rest != end || ordinal < 0)
    throw Error(ErrorKind::argument, "device '" + device + "' names no device; write 'cuda:0'");
  return ordinal;
}

// The ordinal of the device on which the decoder shall run; -1 for "auto", with everything else.
int parse_decoder(const std::string& decoder, const std::string& kind) {
  if (decoder == "auto") return -1;
  const size_t colon = decoder.find(':');
  if (kind == "cpu" || decoder.substr(0, colon) != kind)
    throw Error(ErrorKind::argument, "decoder '" + decoder +
                                         "' goes with a device of its kind, such as device 'cuda:0'"
                                         " and decoder 'cuda:1'; device is '" +
                                         kind + "'");
  return parse_ordinal(decoder, colon);
}

std::unique_ptr<Backend> make_backend(const std::string& device, const std::string& decoder,
                                      const std::string& cublaslt, const cpu::Options& options) {
  const size_t colon = device.find(':');
  const std::string kind = device.substr(0, colon), built = cuda::built_device();
  if (device == "cpu") {
    parse_decoder(decoder, kind);
    if (!cublaslt.empty()) throw Error(ErrorKind::argument, "gemm 'cublaslt' goes with a GPU; device is 'cpu'");
    return std::make_unique<cpu::CpuBackend>(options);
  }
  if (kind == built || (kind == "cuda" && built.empty()))
    return cuda::make_backend({.device = parse_ordinal(device, colon),
                               .architecture = options.isa,
                               .decoder_device = parse_decoder(decoder, kind),
                               .cublaslt = cublaslt,
                               .graphs = !options.op_by_op});
  throw Error(ErrorKind::unsupported, "device '" + device + "' is not available: this build has 'cpu'" +
                                          (built.empty() ? " alone" : " and '" + built + "'"));
}

py::dict memory_dict(const MemoryUse& use) {
  py::dict d;
  d["weights"] = use.weights;
  d["workspace"] = use.workspace;
  d["state"] = use.state;
  return d;
}

py::dict engine_info(const Engine& engine) {
  const BackendInfo info = engine.info();
  py::dict d;
  d["device"] = info.device;
  d["isa"] = info.isa;
  d["threads"] = info.threads;
  d["ordinal"] = info.ordinal;
  d["precision"] = std::string(name_of(engine.precision()));
  d["kv"] = std::string(name_of(engine.kv()));
  d["memory"] = memory_dict(engine.memory());
  return d;
}

py::list op_list(const Engine& engine, const std::string& name) {
  const Engine::Compiled& compiled = engine.program(name);
  py::list ops;
  for (size_t i = 0; i < compiled.plan.ops.size(); ++i) {
    const OpNode& node = *compiled.plan.ops[i].node;
    py::dict d;
    d["op"] = node.def->name;
    d["kernel"] = compiled.executable->variant(i);
    d["source"] = node.source;
    const OpCost cost = op_cost(compiled.plan.ops[i], weight_bytes(engine.precision()));
    d["flops"] = cost.flops;
    d["exponentials"] = cost.exponentials;
    d["read"] = cost.read;
    d["written"] = cost.written;
    d["weights"] = cost.weights;
    d["quadratic"] = cost.quadratic;
    d["matrix"] = cost.matrix;
    ops.append(d);
  }
  return ops;
}

py::list run_program(Runner& runner, const std::string& name, const std::vector<py::array>& arrays) {
  const Plan& plan = runner.engine().program(name).plan;
  if (arrays.size() != plan.inputs.size())
    throw Error(ErrorKind::argument, "program '" + name + "' takes " + std::to_string(plan.inputs.size()) +
                                         " inputs; got " + std::to_string(arrays.size()));
  std::vector<const std::byte*> inputs;
  for (size_t i = 0; i < arrays.size(); ++i)
    inputs.push_back(checked_array(arrays[i], plan.inputs[i].desc, "input '" + plan.inputs[i].name + "'").data());
  py::list results;
  std::vector<std::byte*> outputs;
  for (const PlannedPort& port : plan.outputs) {
    py::array array = new_array(port.desc);
    outputs.push_back(static_cast<std::byte*>(array.mutable_data()));
    results.append(array);
  }
  const py::gil_scoped_release release;
  runner.run(name, inputs, outputs);
  return results;
}

py::array tensor_array(const Package& package, const std::string& name) {
  const auto it = package.tensors.find(name);
  if (it == package.tensors.end())
    throw Error(ErrorKind::argument, "package '" + package.name + "' has no tensor '" + name + "'");
  const StoredTensor& tensor = it->second;
  py::array array = new_array(TensorDesc::dense(visible_dtype(tensor.dtype), tensor.shape));
  read_tensor(package, tensor, static_cast<std::byte*>(array.mutable_data()));
  return array;
}

TensorDesc state_desc(const Runner& runner, const std::string& name) {
  const StateDef& def = *runner.state(name).def;
  return TensorDesc::dense(def.dtype, def.shape);
}

}  // namespace

void bind_engine(py::module_& m) {
  py::class_<Package, std::shared_ptr<Package>>(m, "Package")
      .def_static("read",
                  [](const std::string& path) {
                    const py::gil_scoped_release release;
                    return std::const_pointer_cast<Package>(read_package(path));
                  })
      .def_static("from_bytes",
                  [](const py::buffer& data, const std::string& label) {
                    const std::span<const std::byte> bytes = bytes_of(data);
                    const py::gil_scoped_release release;
                    return std::const_pointer_cast<Package>(read_package_bytes(bytes, label));
                  })
      .def_readonly("manifest", &Package::manifest)
      .def_readonly("path", &Package::path)
      .def_readonly("name", &Package::name)
      .def_readonly("fps", &Package::fps)
      .def_readonly("height", &Package::height)
      .def_readonly("width", &Package::width)
      .def_readonly("temporal_factor", &Package::temporal_factor)
      .def_readonly("batch", &Package::batch)
      .def_property_readonly("buttons",
                             [](const Package& package) {
                               std::vector<std::pair<std::string, std::string>> buttons;
                               for (const ActionButton& button : package.buttons)
                                 buttons.emplace_back(button.name, button.key);
                               return buttons;
                             })
      .def_property_readonly("start",
                             [](const Package& package) -> std::optional<std::pair<std::string, std::string>> {
                               if (package.start_latents.empty()) return std::nullopt;
                               return std::pair(package.start_latents, package.start_actions);
                             })
      .def("tensor", &tensor_array, py::arg("name"))
      .def("dump", [](const Package& package, const std::string& program) {
        const auto it = package.programs.find(program);
        if (it == package.programs.end())
          throw Error(ErrorKind::argument, "package '" + package.name + "' has no program '" + program + "'");
        return dump(it->second);
      });

  // Instruction set -> what this processor lacks for it, "" if it runs here.
  m.def("isas", [] {
    py::dict missing;
    for (cpu::Isa isa : cpu::built_isas()) missing[py::str(name_of(isa))] = cpu::missing_features(isa);
    return missing;
  });

  py::class_<Engine, std::shared_ptr<Engine>>(m, "Engine")
      .def(py::init([](const PackagePtr& package, const std::string& device, const std::string& precision, int threads,
                       const std::string& isa, const std::string& kv, const std::string& decoder,
                       const std::string& cublaslt, bool op_by_op, bool count_only) {
             const py::gil_scoped_release release;
             const cpu::Options options{.threads = threads, .isa = isa, .op_by_op = op_by_op, .count_only = count_only};
             return std::make_shared<Engine>(package, make_backend(device, decoder, cublaslt, options),
                                             parse_precision(precision), parse_kv(kv));
           }),
           py::arg("package"), py::arg("device") = "cpu", py::arg("precision") = "fp32", py::arg("threads") = 0,
           py::arg("isa") = "auto", py::kw_only(), py::arg("kv") = "auto", py::arg("decoder") = "auto",
           py::arg("cublaslt") = "", py::arg("op_by_op") = false, py::arg("count_only") = false)
      .def_property_readonly("info", &engine_info)
      .def("ops", &op_list, py::arg("program"))
      .def("runner", [](const std::shared_ptr<Engine>& engine) { return std::make_unique<Runner>(engine); });

  py::class_<Runner>(m, "Runner")
      .def("run", &run_program, py::arg("program"), py::arg("inputs"))
      .def(
          "reset", [](Runner& runner, const std::vector<int64_t>& seeds) { runner.reset(seeds); }, py::arg("seeds"))
      .def("state_names",
           [](const Runner& runner) {
             std::vector<std::string> names;
             for (const auto& [name, entry] : runner.engine().states().entries) names.push_back(name);
             return names;
           })
      .def("get_state",
           [](const Runner& runner, const std::string& name) {
             const TensorDesc desc = state_desc(runner, name);
             py::array array = new_array(desc);
             runner.read_state(name, {static_cast<std::byte*>(array.mutable_data()), desc.bytes()});
             return array;
           })
      .def("set_state", [](Runner& runner, const std::string& name, const py::array& array) {
        runner.write_state(name, checked_array(array, state_desc(runner, name), "state '" + name + "'"));
      });
}

}  // namespace yanrt::bindings
