"""The shift window without a KV cache: the history is kept as latents, and its keys and values are computed again in
every call. It plays like `FrameLoop.step_shift` and exists to show what the cache gives (docs/benchmarks.md).

A latent of the history sees the history before it, not what has already left: here its keys and values depend on
`history` latents, with the cache on all that were ever played.

Legend: B worlds, N history latents, h w C latent, T actions a latent, A buttons.
"""

import torch
from torch import Tensor, nn

from .cache import RingCache
from .frame_loop import FrameLoop


class Past(nn.Module):
    """State: the last N clean latents, oldest first, `latents` f32 [B,N,h,w,C] and `actions` f32 [B,N,T,A]."""

    latents: Tensor
    actions: Tensor

    def __init__(self, loop: FrameLoop) -> None:
        super().__init__()
        batch, _, *latent = loop.window.shape
        self.register_buffer("latents", torch.zeros(batch, loop.history, *latent))
        self.register_buffer("actions", torch.zeros(batch, loop.history, *loop.window_actions.shape[2:]))

    def push(self, latent_BhwC: Tensor, action_BTA: Tensor, exists: Tensor) -> None:
        """A latent enters where `exists` bool [B]."""
        for buffer, new in ((self.latents, latent_BhwC), (self.actions, action_BTA)):
            moved = torch.cat([buffer[:, 1:], new[:, None]], 1)
            buffer.copy_(torch.where(exists.reshape(-1, *[1] * (buffer.ndim - 1)), moved, buffer))


class AppendRecompute(nn.Module):
    """`append`, keeping the latent too."""

    def __init__(self, loop: FrameLoop, past: Past) -> None:
        super().__init__()
        self.loop, self.past = loop, past

    def forward(self, latent: Tensor, action: Tensor) -> None:
        self.past.push(latent, action, torch.ones_like(self.loop.next, dtype=torch.bool))
        self.loop.append(latent, action)


class StepRecompute(nn.Module):
    """`step_shift`, after the rings have been filled from the past."""

    def __init__(self, loop: FrameLoop, past: Past) -> None:
        super().__init__()
        self.loop, self.past = loop, past

    def forward(self, action: Tensor) -> Tensor:
        loop, past = self.loop, self.past
        frame = loop.next - (loop.slots - 1)
        first = torch.maximum(frame, loop.first_valid) - loop.history
        k_rings, v_rings = ([getattr(ring, part) for ring in loop.rings] for part in ("k", "v"))
        cache = RingCache(first, torch.zeros_like(first), loop.history, 0, k_rings, v_rings)
        loop.denoiser(past.latents, loop.levels[:1], past.actions, cache)
        latent = loop.step_shift(action)
        # The front of the window was clean before this call: it has now entered the rings.
        past.push(loop.window[:, 0], loop.window_actions[:, 0], frame >= loop.first_valid)
        return latent
