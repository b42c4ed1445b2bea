"""How weights are stored in a package: chosen by rule, encoded, and decoded again for comparisons."""

from .calibrate import Calibration, calibrate, watched
from .sensitivity import LayerCost, layers_to_keep, report, sensitivity
from .storage import ACTIVATIONS, STORES, Storage, choose_storage, encode

__all__ = [
    "ACTIVATIONS",
    "STORES",
    "Calibration",
    "LayerCost",
    "Storage",
    "calibrate",
    "choose_storage",
    "encode",
    "layers_to_keep",
    "report",
    "sensitivity",
    "watched",
]
