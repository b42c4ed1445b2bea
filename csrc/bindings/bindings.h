#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <span>

#include "core/tensor.h"

namespace yanrt::bindings {

namespace py = pybind11;

void bind_engine(py::module_& m);
void bind_session(py::module_& m);
void bind_profile(py::module_& m);

// The bytes of a C-contiguous buffer. Throws Error(argument) for others.
std::span<const std::byte> bytes_of(const py::buffer& data);

// A dense array of exactly this type and shape; `what` names it in the error. Never converts: a silent conversion would
// hide a caller's mistake and cost a copy a frame.
std::span<std::byte> checked_array(const py::array& array, const TensorDesc& desc, const std::string& what);
py::array new_array(const TensorDesc& desc);

}  // namespace yanrt::bindings
