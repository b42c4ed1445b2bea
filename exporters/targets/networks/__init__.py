"""The networks of the coverage table (`python -m exporters coverage`), in small configurations, from the libraries
that people build worlds from."""

from collections.abc import Sequence

from .image import IMAGE
from .network import Network
from .text_and_vision import TEXT_AND_VISION
from .video import VIDEO

NETWORKS: tuple[Network, ...] = (*IMAGE, *VIDEO, *TEXT_AND_VISION)


def choose(names: Sequence[str] = (), part: str = "1/1") -> list[Network]:
    """The networks of these names (all, if there are none), of which `part` "K/N" takes every N-th from the K-th on.
    Raises ValueError for an unknown name."""
    known = {network.name: network for network in NETWORKS}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f"no network {', '.join(unknown)}; there are {', '.join(known)}")
    first, count = map(int, part.split("/"))
    return [known[name] for name in names or known][first - 1 :: count]


__all__ = ["NETWORKS", "Network", "choose"]
