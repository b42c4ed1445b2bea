"""DLPack capsules (https://dmlc.github.io/dlpack) of memory that somebody else owns, made with ctypes alone."""

import ctypes
from typing import Any

CPU, CUDA = 1, 2  # DLDeviceType
_UINT = 1  # DLDataTypeCode


class _Device(ctypes.Structure):
    _fields_ = [("device_type", ctypes.c_int32), ("device_id", ctypes.c_int32)]


class _DataType(ctypes.Structure):
    _fields_ = [("code", ctypes.c_uint8), ("bits", ctypes.c_uint8), ("lanes", ctypes.c_uint16)]


class _Tensor(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p),
        ("device", _Device),
        ("ndim", ctypes.c_int32),
        ("dtype", _DataType),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    ]


class _ManagedTensor(ctypes.Structure):
    pass


_Deleter = ctypes.CFUNCTYPE(None, ctypes.POINTER(_ManagedTensor))
_ManagedTensor._fields_ = [("tensor", _Tensor), ("context", ctypes.c_void_p), ("deleter", _Deleter)]

_Destructor = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
_new = ctypes.pythonapi.PyCapsule_New
_new.restype, _new.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, _Destructor]
_is_valid = ctypes.pythonapi.PyCapsule_IsValid
_is_valid.restype, _is_valid.argtypes = ctypes.c_int, [ctypes.c_void_p, ctypes.c_char_p]
_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_pointer.restype, _pointer.argtypes = ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_char_p]

_NAME = b"dltensor"
_exported: dict[int, tuple[Any, ...]] = {}  # by address of the structure: what must live as long as it is in use


@_Deleter
def _delete(managed: Any) -> None:
    _exported.pop(ctypes.addressof(managed.contents), None)


@_Destructor
def _destroy(capsule_address: int) -> None:
    # A consumer renames the capsule and calls the deleter itself; one that nobody took is freed here.
    if _is_valid(capsule_address, _NAME):
        _exported.pop(_pointer(capsule_address, _NAME), None)


def capsule(address: int, shape: tuple[int, ...], device_type: int, device_id: int, owner: Any) -> Any:
    """A capsule "dltensor" of dense uint8 memory; `owner` is kept alive until its consumer lets go of it."""
    extents = (ctypes.c_int64 * len(shape))(*shape)
    managed = _ManagedTensor()
    managed.tensor = _Tensor(
        address, _Device(device_type, device_id), len(shape), _DataType(_UINT, 8, 1), extents, None, 0
    )
    managed.deleter = _delete
    where = ctypes.addressof(managed)
    _exported[where] = (managed, extents, owner)
    return _new(where, _NAME, _destroy)


def exported() -> int:
    """How many capsules are still in use."""
    return len(_exported)
