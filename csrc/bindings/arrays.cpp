#include "bindings/bindings.h"
#include "core/error.h"

namespace yanrt::bindings {
namespace {

py::dtype numpy_dtype(DType dtype) {
  switch (dtype) {
    case DType::f32: return py::dtype::of<float>();
    case DType::i64: return py::dtype::of<int64_t>();
    case DType::i32: return py::dtype::of<int32_t>();
    case DType::u8: return py::dtype::of<uint8_t>();
    case DType::boolean: return py::dtype::of<bool>();
    case DType::bf16:
    case DType::f8e4m3:
    case DType::i8: break;
  }
  throw Error(ErrorKind::argument, "numpy has no dtype for " + std::string(name_of(dtype)));
}

std::string describe(const py::array& array) {
  Dims shape;
  for (py::ssize_t i = 0; i < array.ndim() && i < kMaxRank; ++i) shape.push_back(array.shape(i));
  return py::str(array.dtype()).cast<std::string>() + " " + shape.str();
}

}  // namespace

std::span<const std::byte> bytes_of(const py::buffer& data) {
  const py::buffer_info info = data.request();
  py::ssize_t step = info.itemsize;
  for (py::ssize_t i = info.ndim - 1; i >= 0; --i) {
    if (info.shape[i] != 1 && info.strides[i] != step)
      throw Error(ErrorKind::argument, "need a C-contiguous buffer: use numpy.ascontiguousarray");
    step *= info.shape[i];
  }
  return {static_cast<const std::byte*>(info.ptr), static_cast<size_t>(info.size * info.itemsize)};
}

std::span<std::byte> checked_array(const py::array& array, const TensorDesc& desc, const std::string& what) {
  bool same = array.dtype().equal(numpy_dtype(desc.dtype)) && array.ndim() == desc.shape.rank();
  for (int i = 0; same && i < desc.shape.rank(); ++i) same = array.shape(i) == desc.shape[i];
  const bool contiguous = (array.flags() & py::array::c_style) != 0;
  if (!same || !contiguous)
    throw Error(ErrorKind::argument, what + " must be a C-contiguous array, " + std::string(name_of(desc.dtype)) + " " +
                                         desc.shape.str() + "; got " + describe(array) +
                                         (contiguous ? "" : ", not contiguous"));
  return {static_cast<std::byte*>(const_cast<void*>(array.data())), static_cast<size_t>(array.nbytes())};
}

py::array new_array(const TensorDesc& desc) {
  std::vector<py::ssize_t> shape(desc.shape.begin(), desc.shape.end());
  return py::array(numpy_dtype(desc.dtype), shape);
}

}  // namespace yanrt::bindings
