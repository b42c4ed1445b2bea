"""How weights are stored in a package: chosen by rule, encoded, and decoded again for comparisons."""

from .storage import STORES, choose_storage, encode, rounded

__all__ = ["STORES", "choose_storage", "encode", "rounded"]
