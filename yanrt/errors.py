"""Every error yanrt raises on purpose. The native module raises them too, by the kind of its C++ error."""


class Error(Exception):
    """Base of all errors of yanrt. Messages name the offending value and the remedy."""


class PackageError(Error):
    """The package is truncated, corrupt, hostile or of another format version."""


class UnsupportedError(Error):
    """The request is valid, but this build, device or precision cannot serve it. Nothing falls back silently."""


class ArgumentError(Error, ValueError):
    """A value passed in is wrong: shape, dtype, range or name."""


class StateError(Error, RuntimeError):
    """The call came at the wrong moment: a closed session, a step before reset."""


class OutOfMemoryError(Error, MemoryError):
    """An allocation failed."""


class DeviceError(Error, RuntimeError):
    """The device, or its driver, failed. The message names the call, the device and the remedy."""
