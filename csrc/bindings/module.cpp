// yanrt._C: converts arguments, releases the GIL, calls one function.
#include "bindings/bindings.h"
#include "core/crc32c.h"
#include "core/error.h"
#include "core/ops.h"

namespace yanrt::bindings {
namespace {

constexpr const char* kRoles[] = {"exact", "compute", "quantised", "weight", "ring"};
constexpr const char* kLayouts[] = {"dense", "rows", "inner", "strided"};
constexpr const char* kAttrTypes[] = {"integer", "real", "ints", "strings", "choice"};

py::dict op_dict(const OpDef& op) {
  py::list inputs, outputs, attrs;
  for (const InputDef& in : op.inputs) {
    py::dict d;
    d["name"] = in.name;
    d["role"] = kRoles[static_cast<int>(in.role)];
    d["layout"] = kLayouts[static_cast<int>(in.layout)];
    d["optional"] = (in.flags & kOptional) != 0;
    d["variadic"] = (in.flags & kVariadic) != 0;
    inputs.append(d);
  }
  for (const OutputDef& out : op.outputs) {
    py::dict d;
    d["name"] = out.name;
    d["role"] = kRoles[static_cast<int>(out.role)];
    outputs.append(d);
  }
  for (const AttrDef& attr : op.attrs) {
    py::dict d;
    d["name"] = attr.name;
    d["type"] = kAttrTypes[static_cast<int>(attr.type)];
    d["choices"] = attr.choices.empty() ? py::list() : py::str(attr.choices).attr("split")(",").cast<py::list>();
    attrs.append(d);
  }
  py::dict result;
  result["name"] = op.name;
  result["view"] = op.is_view();
  result["inputs"] = inputs;
  result["outputs"] = outputs;
  result["attrs"] = attrs;
  return result;
}

// Error kinds become the classes of yanrt/errors.py, looked up when first needed so that importing _C imports nothing.
void translate(std::exception_ptr pointer) {
  try {
    if (pointer) std::rethrow_exception(pointer);
  } catch (const Error& error) {
    static constexpr const char* kNames[] = {"PackageError", "UnsupportedError", "ArgumentError",
                                             "StateError",   "OutOfMemoryError", "DeviceError"};
    const py::object errors = py::module_::import("yanrt.errors");
    const py::object type = errors.attr(kNames[static_cast<int>(error.kind())]);
    PyErr_SetString(type.ptr(), error.what());
  }
}

}  // namespace

PYBIND11_MODULE(_C, m) {
  py::register_local_exception_translator(translate);
  m.def("op_table", [] {
    py::list ops;
    for (const OpDef& op : op_table()) ops.append(op_dict(op));
    return ops;
  });
  m.def("crc32c", [](const py::buffer& data) {
    const std::span<const std::byte> bytes = bytes_of(data);
    const py::gil_scoped_release release;
    return crc32c(bytes);
  });
  bind_engine(m);
  bind_session(m);
  bind_profile(m);
}

}  // namespace yanrt::bindings
