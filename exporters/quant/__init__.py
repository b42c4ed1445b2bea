"""How weights are stored in a package: chosen by rule, encoded, and decoded again for comparisons."""

from .calibrate import Calibration, calibrate
from .sensitivity import LayerCost, layers_to_keep, report, sensitivity
from .storage import STORES, choose_storage, encode, rounded

__all__ = [
    "STORES",
    "Calibration",
    "LayerCost",
    "calibrate",
    "choose_storage",
    "encode",
    "layers_to_keep",
    "report",
    "rounded",
    "sensitivity",
]
