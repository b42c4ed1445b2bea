"""`yanrt::randn`: counter-based normal noise, the same integers on every machine (docs/randn.md).

Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011) gives four 32-bit words for a key
and a counter; Box-Muller turns two words into two normals.
"""

import math

import torch
from torch import Tensor

_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_WEYL = (0x9E3779B9, 0xBB67AE85)
_ROUNDS = 10
_MASK = 0xFFFFFFFF


def philox(counter: tuple[Tensor, ...], key: tuple[Tensor, Tensor]) -> tuple[Tensor, ...]:
    """Four words of Philox 4x32-10. Words are held in i64 tensors, in [0, 2**32); shapes broadcast."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(_ROUNDS):
        # The i64 product wraps modulo 2**64, so its two halves are those of the unsigned product.
        p0, p1 = c0 * _MULTIPLIERS[0], c2 * _MULTIPLIERS[1]
        c0, c1, c2, c3 = (p1 >> 32) & _MASK ^ c1 ^ k0, p1 & _MASK, (p0 >> 32) & _MASK ^ c3 ^ k1, p0 & _MASK
        k0, k1 = (k0 + _WEYL[0]) & _MASK, (k1 + _WEYL[1]) & _MASK
    return c0, c1, c2, c3


def _box_muller(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    u, v = (a.double() + 0.5) * 2.0**-32, (b.double() + 0.5) * 2.0**-32
    radius, angle = torch.sqrt(-2.0 * torch.log(u)), 2.0 * math.pi * v
    return radius * torch.cos(angle), radius * torch.sin(angle)


@torch.library.custom_op(
    "yanrt::randn", mutates_args=(), schema="(Tensor seed, Tensor counter, SymInt[] shape) -> Tensor"
)
def randn(seed: Tensor, counter: Tensor, shape: list[int]) -> Tensor:
    """Standard normal noise f32 `shape` = [B, ...], a pure function of `seed` and `counter`, both i64 [B].

    Element e of batch entry b is lane e mod 4 of the Philox block whose key is seed[b] and whose counter is the pair
    (e div 4, counter[b]), low word first.
    """
    batch = shape[0]
    if seed.shape != (batch,) or counter.shape != (batch,):
        raise ValueError(
            f"randn: seed {list(seed.shape)}, counter {list(counter.shape)} must be [{batch}] for shape {list(shape)}"
        )
    size = math.prod(shape[1:])
    group = torch.arange((size + 3) // 4, dtype=torch.int64, device=seed.device)[None]
    seed, counter = seed[:, None], counter[:, None]
    words = philox(
        (group & _MASK, group >> 32, counter & _MASK, (counter >> 32) & _MASK), (seed & _MASK, (seed >> 32) & _MASK)
    )
    normals = torch.stack([*_box_muller(words[0], words[1]), *_box_muller(words[2], words[3])], dim=-1)
    return normals.reshape(batch, -1)[:, :size].reshape(shape).float()


@randn.register_fake
def _(seed: Tensor, counter: Tensor, shape: list[int]) -> Tensor:
    return seed.new_empty(shape, dtype=torch.float32)
