"""CUDA devices, and frames that stay on them: for programs that draw or learn on the GPU.

Needs the extra `yanrt[cuda]` (cuda-python) and an NVIDIA driver; without either, every call raises an UnsupportedError
that says what is missing. Importing this module needs neither.

    session = yanrt.Session("doom", device="cuda")
    frames = yanrt.cuda.device_frames(session)    # memory of the device, the frames of the last step
    tensor = torch.from_dlpack(frames)            # uint8 [T, H, W, 3], no copy
    with yanrt.cuda.GLTexture(texture_id, width, height) as texture:
        texture.show(frames, index=0)             # into an RGBA8 texture, no trip through the host
"""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Any

from yanrt.dlpack import CUDA, capsule
from yanrt.errors import ArgumentError, DeviceError, StateError, UnsupportedError

if TYPE_CHECKING:
    from yanrt.session import Session

OLDEST = (8, 0)  # compute capability
_CUBLASLT = "libcublasLt.so.13"
_GL_TEXTURE_2D = 0x0DE1
_WRITE_DISCARD = 2  # cudaGraphicsRegisterFlagsWriteDiscard: the texture's old contents are not needed


def _runtime() -> ModuleType:
    """The CUDA runtime, from cuda-python."""
    try:
        from cuda.bindings import runtime
    except ImportError as error:
        raise UnsupportedError(
            f"yanrt.cuda needs cuda-python ({error}); install it with: pip install yanrt[cuda]"
        ) from error
    return runtime  # type: ignore[no-any-return]


def _current_device() -> str:
    """For errors: the device that calls of this thread go to."""
    status, index = _runtime().cudaGetDevice()
    return f"device {index}" if int(status) == 0 else "no device"


def _call(name: str, *arguments: Any) -> Any:
    """Calls a function of the runtime; returns its results without the status. Raises a typed error that names it."""
    status, *results = getattr(_runtime(), name)(*arguments)
    code, label = int(status), getattr(status, "name", str(status))
    if code == 0:
        return results[0] if len(results) == 1 else tuple(results)
    if code in (35, 100):  # cudaErrorInsufficientDriver, cudaErrorNoDevice
        raise UnsupportedError(
            f"{name} failed: {label} ({code}); this machine has no NVIDIA driver or no visible GPU."
            " Check nvidia-smi and CUDA_VISIBLE_DEVICES, or use device='cpu'"
        )
    raise DeviceError(
        f"{name} failed on {_current_device()}: {label} ({code}); close the sessions of this device and make new ones"
    )


# ---- cuBLASLt --------------------------------------------------------------------------------------------------------
def find_cublaslt() -> str:
    """Path of cuBLASLt in this environment (the extra `yanrt[cublas]`; torch brings it too), or its bare name, for the
    system's loader."""
    spec = find_spec("nvidia")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / "cu13/lib" / _CUBLASLT
        if path.exists():
            return str(path)
    return _CUBLASLT


# ---- devices ---------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Device:
    """One GPU. `supported`: yanrt has kernels for it (compute capability 8.0 or newer)."""

    index: int
    name: str
    capability: tuple[int, int]
    memory: int  # bytes
    multiprocessors: int

    @property
    def supported(self) -> bool:
        return self.capability >= OLDEST

    def __str__(self) -> str:
        major, minor = self.capability
        return f"cuda:{self.index} {self.name} (sm_{major}{minor}, {self.memory / 2**30:.1f} GiB)"


def devices() -> list[Device]:
    """The GPUs that CUDA sees, in its order. Raises UnsupportedError without cuda-python, a driver or a GPU."""
    found = []
    for index in range(_call("cudaGetDeviceCount")):
        p = _call("cudaGetDeviceProperties", index)
        name = p.name.decode() if isinstance(p.name, bytes) else str(p.name)
        found.append(
            Device(index, name.rstrip("\0"), (p.major, p.minor), int(p.totalGlobalMem), int(p.multiProcessorCount))
        )
    return found


def available() -> bool:
    """Whether a GPU that yanrt has kernels for can be reached. Raises nothing."""
    try:
        return any(device.supported for device in devices())
    except (UnsupportedError, DeviceError):
        return False


# ---- streams ---------------------------------------------------------------------------------------------------------
class ExternalStream:
    """A stream of the caller's (`torch.cuda.current_stream().cuda_stream`, a CUstream): its owner keeps it alive.

    Copies of this module run on it, after what it was given before.
    """

    def __init__(self, handle: int) -> None:
        if not isinstance(handle, int) or handle < 0:
            raise ArgumentError(f"a stream is the address of a cudaStream_t, an int; got {handle!r}")
        self.handle = handle

    def wait(self) -> None:
        """Blocks until all of its work is done."""
        _call("cudaStreamSynchronize", self.handle)

    def __cuda_stream__(self) -> tuple[int, int]:
        """The protocol of cuda.core: (version, handle)."""
        return 0, self.handle


def _handle(stream: "ExternalStream | int | None") -> int:
    if stream is None:
        return 0
    return stream.handle if isinstance(stream, ExternalStream) else ExternalStream(stream).handle


# ---- frames ----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class DeviceFrames:
    """uint8 frames in the memory of a device. The session owns it: the next step writes it, `close` frees it."""

    address: int
    shape: tuple[int, ...]  # [T, H, W, 3], with a batch axis in front where the batch is larger than 1
    device: int
    owner: Any = None  # what keeps the memory alive

    def __dlpack_device__(self) -> tuple[int, int]:
        return CUDA, self.device

    def __dlpack__(
        self,
        *,
        stream: int | None = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        """A capsule of this memory, without a copy. A step is finished when it returns, so that no stream need wait."""
        if dl_device is not None and dl_device != self.__dlpack_device__():
            raise BufferError(f"these frames lie on device {self.__dlpack_device__()}, not on {dl_device}")
        if copy:
            raise BufferError("these frames are exported without a copy; copy them afterwards")
        return capsule(self.address, self.shape, CUDA, self.device, self)

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        return {"shape": self.shape, "typestr": "|u1", "data": (self.address, True), "strides": None, "version": 3}

    def frame(self, index: int) -> int:
        """Address of one frame [H, W, 3], counted through all leading axes."""
        height, width, channels = self.shape[-3:]
        count = 1
        for extent in self.shape[:-3]:
            count *= extent
        if not 0 <= index < count:
            raise ArgumentError(f"frame {index} is not one of {count}, counted from 0")
        return self.address + index * height * width * channels


def device_frames(session: "Session") -> DeviceFrames:
    """The frames of the session's last step, where they lie. Raises UnsupportedError if it plays on the CPU."""
    info = session.engine.info
    if not str(info["device"]).startswith("cuda"):
        raise UnsupportedError(
            f"this session plays on {info['device']!r}; make it with device='cuda' to keep frames there"
        )
    address = session.frames_address()
    shape = session.package.frames_shape
    return DeviceFrames(address, shape[1:] if shape[0] == 1 else shape, int(info["ordinal"]), session)


# ---- OpenGL ----------------------------------------------------------------------------------------------------------
class GLTexture:
    """An OpenGL texture (GL_TEXTURE_2D, RGBA8, width x height) that shows frames without a trip through the host.

    Make it where the OpenGL context is current, on the GPU that draws; the texture must exist already and must not be
    resized while this lives. `show` may be called for every frame. Close it, or use `with`.
    """

    def __init__(self, texture: int, width: int, height: int) -> None:
        if width <= 0 or height <= 0:
            raise ArgumentError(f"a texture is at least 1x1, got {width}x{height}")
        self.width, self.height = width, height
        self._resource = _call("cudaGraphicsGLRegisterImage", texture, _GL_TEXTURE_2D, _WRITE_DISCARD)
        self._rgba = 0
        try:
            self._rgba = int(_call("cudaMalloc", width * height * 4))
            _call("cudaMemset", self._rgba, 255, width * height * 4)  # alpha stays opaque
        except BaseException:
            self.close()
            raise

    def show(self, frames: DeviceFrames, index: int = 0, stream: "ExternalStream | int | None" = None) -> None:
        """Copies frame `index` into the texture, on `stream` (None: the default stream), and returns at once.

        OpenGL calls that follow on this thread see the new picture: unmapping orders them after the copies.
        """
        if not self._resource:
            raise StateError("the texture is closed; make a new one")
        if frames.shape[-3:] != (self.height, self.width, 3):
            raise ArgumentError(
                f"the texture is {self.width}x{self.height}, the frames are {frames.shape[-2]}x{frames.shape[-3]}"
            )
        handle, on_device = _handle(stream), _runtime().cudaMemcpyKind.cudaMemcpyDeviceToDevice
        pixels = self.width * self.height
        # RGB to RGBA: rows of one pixel, 3 bytes from every 3 to every 4.
        _call("cudaMemcpy2DAsync", self._rgba, 4, frames.frame(index), 3, 3, pixels, on_device, handle)
        _call("cudaGraphicsMapResources", 1, self._resource, handle)
        try:
            array = _call("cudaGraphicsSubResourceGetMappedArray", self._resource, 0, 0)
            row = self.width * 4
            _call("cudaMemcpy2DToArrayAsync", array, 0, 0, self._rgba, row, row, self.height, on_device, handle)
        finally:
            _call("cudaGraphicsUnmapResources", 1, self._resource, handle)

    def close(self) -> None:
        """Gives the texture back to OpenGL. Closing twice is fine."""
        resource, self._resource = self._resource, None
        rgba, self._rgba = self._rgba, 0
        if resource:
            _call("cudaGraphicsUnregisterResource", resource)
        if rgba:
            _call("cudaFree", rgba)

    def __enter__(self) -> "GLTexture":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
