"""yanrt.cuda without a GPU: a fake CUDA runtime in the place of cuda-python's, and the errors where there is none."""

import sys
from enum import IntEnum
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

import yanrt.cuda as cuda
from yanrt.dlpack import CPU, capsule, exported
from yanrt.errors import ArgumentError, DeviceError, StateError, UnsupportedError


class Status(IntEnum):
    cudaSuccess = 0
    cudaErrorInvalidValue = 1
    cudaErrorInsufficientDriver = 35


class FakeRuntime(ModuleType):
    """Answers the calls yanrt.cuda makes, and remembers them. `failing` maps a call to the status it returns."""

    def __init__(self) -> None:
        super().__init__("cuda.bindings.runtime")
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self.failing: dict[str, Status] = {}
        self.results: dict[str, Any] = {
            "cudaGetDeviceCount": 2,
            "cudaGetDevice": 1,
            "cudaGraphicsGLRegisterImage": "resource",
            "cudaMalloc": 0x1000,
            "cudaGraphicsSubResourceGetMappedArray": "array",
        }
        self.cudaMemcpyKind = SimpleNamespace(cudaMemcpyDeviceToDevice=3)

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("cuda"):
            raise AttributeError(name)

        def call(*arguments: Any) -> tuple[Any, ...]:
            self.calls.append((name, arguments))
            if status := self.failing.get(name):
                return (status, None)
            if name == "cudaGetDeviceProperties":
                major, minor = ((7, 5), (8, 9))[arguments[0]]
                device = SimpleNamespace(
                    name=b"Fake\0", major=major, minor=minor, totalGlobalMem=8 * 2**30, multiProcessorCount=24
                )
                return (Status.cudaSuccess, device)
            result = self.results.get(name)
            return (Status.cudaSuccess,) if result is None else (Status.cudaSuccess, result)

        return call

    def names(self) -> list[str]:
        return [name for name, _ in self.calls]


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> FakeRuntime:
    fake = FakeRuntime()
    monkeypatch.setattr(cuda, "_runtime", lambda: fake)
    return fake


def frames(shape: tuple[int, ...] = (2, 4, 6, 3)) -> cuda.DeviceFrames:
    return cuda.DeviceFrames(0x2000, shape, 1, "owner")


# ---- devices ---------------------------------------------------------------------------------------------------------
@pytest.mark.usefixtures("runtime")
def test_devices_are_listed_with_what_decides() -> None:
    old, new = cuda.devices()
    assert (old.capability, old.supported) == ((7, 5), False)
    assert (new.index, new.name, new.multiprocessors, new.supported) == (1, "Fake", 24, True)
    assert str(new) == "cuda:1 Fake (sm_89, 8.0 GiB)"
    assert cuda.available()


def test_without_a_driver_the_error_says_so(runtime: FakeRuntime) -> None:
    runtime.failing["cudaGetDeviceCount"] = Status.cudaErrorInsufficientDriver
    with pytest.raises(UnsupportedError, match=r"cudaGetDeviceCount.*35.*nvidia-smi"):
        cuda.devices()
    assert not cuda.available()


def test_without_cuda_python_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cuda.bindings", None)
    with pytest.raises(UnsupportedError, match=r"yanrt\[cuda\]"):
        cuda.devices()


def test_this_machine_answers_one_way_or_the_other() -> None:
    if not cuda.available():
        with pytest.raises(UnsupportedError):
            cuda.devices()


# ---- streams ---------------------------------------------------------------------------------------------------------
def test_an_external_stream_waits_and_speaks_the_protocol(runtime: FakeRuntime) -> None:
    stream = cuda.ExternalStream(0x77)
    stream.wait()
    assert runtime.calls == [("cudaStreamSynchronize", (0x77,))]
    assert stream.__cuda_stream__() == (0, 0x77)


def test_a_stream_is_an_address() -> None:
    for wrong in (-1, "7", None):
        with pytest.raises(ArgumentError, match="cudaStream_t"):
            cuda.ExternalStream(wrong)  # type: ignore[arg-type]


# ---- frames ----------------------------------------------------------------------------------------------------------
def test_a_capsule_shows_the_memory_itself_and_is_let_go() -> None:
    memory = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)

    class OnTheHost(cuda.DeviceFrames):
        def __dlpack_device__(self) -> tuple[int, int]:
            return CPU, 0

        def __dlpack__(self, **_: Any) -> Any:
            return capsule(self.address, self.shape, CPU, 0, self)

    before = exported()
    seen = np.from_dlpack(OnTheHost(memory.ctypes.data, memory.shape, 0, memory))
    np.testing.assert_array_equal(seen, memory)
    memory[0, 0, 0] = 99
    assert seen[0, 0, 0] == 99
    assert exported() == before + 1
    del seen
    assert exported() == before


def test_a_capsule_that_nobody_takes_is_let_go() -> None:
    before = exported()
    held = frames().__dlpack__()
    assert exported() == before + 1
    del held
    assert exported() == before


def test_device_frames_describe_themselves() -> None:
    assert frames().__dlpack_device__() == (2, 1)
    assert frames().__cuda_array_interface__["data"] == (0x2000, True)
    assert frames().frame(1) == 0x2000 + 4 * 6 * 3
    with pytest.raises(ArgumentError, match="frame 2"):
        frames().frame(2)
    with pytest.raises(BufferError):
        frames().__dlpack__(copy=True)
    with pytest.raises(BufferError):
        frames().__dlpack__(dl_device=(1, 0))


def test_frames_of_a_session_on_the_cpu_are_refused(session: Any) -> None:
    with pytest.raises(UnsupportedError, match="device='cuda'"):
        cuda.device_frames(session)


# ---- OpenGL ----------------------------------------------------------------------------------------------------------
def test_a_texture_shows_a_frame_between_map_and_unmap(runtime: FakeRuntime) -> None:
    with cuda.GLTexture(5, 6, 4) as texture:
        runtime.calls.clear()
        texture.show(frames(), index=1, stream=0x77)
    widen, mapped, _, upload, unmapped, *closing = runtime.calls
    assert widen == ("cudaMemcpy2DAsync", (0x1000, 4, 0x2000 + 72, 3, 3, 24, 3, 0x77))
    assert mapped == ("cudaGraphicsMapResources", (1, "resource", 0x77))
    assert upload == ("cudaMemcpy2DToArrayAsync", ("array", 0, 0, 0x1000, 24, 24, 4, 3, 0x77))
    assert unmapped == ("cudaGraphicsUnmapResources", (1, "resource", 0x77))
    assert [name for name, _ in closing] == ["cudaGraphicsUnregisterResource", "cudaFree"]


def test_a_texture_is_unmapped_and_given_back_when_a_copy_fails(runtime: FakeRuntime) -> None:
    runtime.failing["cudaMemcpy2DToArrayAsync"] = Status.cudaErrorInvalidValue
    with (
        cuda.GLTexture(5, 6, 4) as texture,
        pytest.raises(
            DeviceError, match=r"cudaMemcpy2DToArrayAsync failed on device 1: cudaErrorInvalidValue \(1\); close"
        ),
    ):
        texture.show(frames())
    assert runtime.names()[-3:] == ["cudaGraphicsUnmapResources", "cudaGraphicsUnregisterResource", "cudaFree"]


def test_a_texture_that_finds_no_memory_is_given_back(runtime: FakeRuntime) -> None:
    runtime.failing["cudaMalloc"] = Status.cudaErrorInvalidValue
    with pytest.raises(DeviceError):
        cuda.GLTexture(5, 6, 4)
    assert runtime.names()[-1] == "cudaGraphicsUnregisterResource"


@pytest.mark.usefixtures("runtime")
def test_a_texture_refuses_what_does_not_fit() -> None:
    with pytest.raises(ArgumentError, match="1x1"):
        cuda.GLTexture(5, 0, 4)
    texture = cuda.GLTexture(5, 6, 4)
    with pytest.raises(ArgumentError, match="6x4"):
        texture.show(frames((2, 4, 8, 3)))
    texture.close()
    texture.close()
    with pytest.raises(StateError, match="closed"):
        texture.show(frames())
