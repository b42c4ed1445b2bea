"""Philox 4x32-10 and Box-Muller (docs/randn.md), with numpy's log and cos in place of the polynomials."""

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]
_LOW = np.uint64(0xFFFFFFFF)
_SHIFT = np.uint64(32)


def philox(counter: list[Words], key: tuple[int, int]) -> list[Words]:
    """Ten rounds over many counters at once. Words are kept in uint64."""
    k0, k1 = key
    for _ in range(10):
        p0, p1 = counter[0] * np.uint64(0xD2511F53), counter[2] * np.uint64(0xCD9E8D57)
        x0 = (p1 >> _SHIFT) ^ counter[1] ^ np.uint64(k0)
        x2 = (p0 >> _SHIFT) ^ counter[3] ^ np.uint64(k1)
        counter = [x0, p1 & _LOW, x2, p0 & _LOW]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return counter


def normals(seed: int, counter: int, count: int) -> NDArray[np.float64]:
    """The first `count` elements of the noise of (seed, counter)."""
    seed, counter = seed % 2**64, counter % 2**64
    groups = np.arange((count + 3) // 4, dtype=np.uint64)
    fixed = [np.full_like(groups, word) for word in (counter & 0xFFFFFFFF, counter >> 32)]
    words = philox([groups & _LOW, groups >> _SHIFT, *fixed], (seed & 0xFFFFFFFF, seed >> 32))
    u = [(w.astype(np.float64) + 0.5) * 2.0**-32 for w in words]
    out = np.empty((len(groups), 4))
    for pair in (0, 2):
        radius, angle = np.sqrt(-2 * np.log(u[pair])), 2 * np.pi * u[pair + 1]
        out[:, pair], out[:, pair + 1] = radius * np.cos(angle), radius * np.sin(angle)
    return out.reshape(-1)[:count]
