"""The frame loop of Yan-Sim as plain PyTorch: what the runtime plays is an export of this file (docs/frame_loop.md).

Paper, "Shift-window denoising with a KV cache". State is held in buffers that the calls mutate; randomness comes from
the seed and the index of a latent alone, so both schedules see the same noise.

Legend: B worlds, W grades (= latents in the window), E evaluations from one grade to the next, h w C latent, P = h*w,
T actions a latent, A buttons, S = history + 1 ring slots, H heads, K head width.
"""

import torch
from torch import Tensor, nn

from .. import ops  # noqa: F401  registers yanrt::randn
from .cache import RingCache
from .model import Denoiser
from .world import SimConfig


class Ring(nn.Module):
    """Cached keys and values of one layer, `[B,S,P,H,K]` each."""

    k: Tensor
    v: Tensor

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.register_buffer("k", torch.zeros(shape))
        self.register_buffer("v", torch.zeros(shape))


class FrameLoop(nn.Module):
    """A denoiser, its noise levels, and the state of `batch` worlds.

    Buffers: `levels` and `lead` f32 [(W-1)*E+1], constant. State: `window` f32 [B,W,h,w,C] (slot i at grade i before a
    shift, slot i+1 after it), `estimates` f32 [B,W-1,h,w,C] (what slot i+1 was last taken for), `window_actions` f32
    [B,W,T,A], `next` i64 [B] (global index of the next latent to be made), `first_valid` i64 [B] (latents before it
    that are in no ring never existed), `seed` i64 [B], and the rings.
    """

    levels: Tensor
    lead: Tensor
    window: Tensor
    estimates: Tensor
    window_actions: Tensor
    next: Tensor
    first_valid: Tensor
    seed: Tensor

    def __init__(self, denoiser: Denoiser, config: SimConfig, batch: int = 1) -> None:
        super().__init__()
        d = config.denoiser
        self.denoiser = denoiser
        self.diffusion = d.diffusion
        self.history = config.history
        self.slots, self.evaluations = len(config.grades), config.evaluations
        ring = (batch, config.history + 1, d.rows * d.columns, d.heads, d.head)
        self.rings = nn.ModuleList(Ring(ring) for _ in range(d.layers))
        self.register_buffer("levels", torch.tensor(config.levels))
        self.register_buffer("lead", d.diffusion.lead(self.levels))
        for name, latents in (("window", self.slots), ("estimates", self.slots - 1)):
            self.register_buffer(name, torch.zeros(batch, latents, d.rows, d.columns, d.channels))
        self.register_buffer("window_actions", torch.zeros(batch, self.slots, d.actions_per_latent, d.buttons))
        for name in ("next", "first_valid", "seed"):
            self.register_buffer(name, torch.zeros(batch, dtype=torch.int64))

    @property
    def shift_delay(self) -> int:
        """Calls of `step_shift` after an append before the first whose latent means anything."""
        return self.slots - 2

    def state(self) -> dict[str, Tensor]:
        """The buffers that calls change, by name."""
        own = ((name, buffer) for name, buffer in self.named_buffers() if not name.startswith("denoiser."))
        return {name: buffer for name, buffer in own if name not in ("levels", "lead")}

    @torch.no_grad()
    def reset(self, seed: Tensor) -> None:
        """Zero state; `seed` i64 [B]."""
        for buffer in self.state().values():
            buffer.zero_()
        self.seed.copy_(seed)

    def append(self, latent_BhwC: Tensor, action_BTA: Tensor) -> None:
        """One clean latent enters the history; latents in flight are dropped.

        It takes the place of the oldest latent in flight: of the one that the last `step_shift` returned, whose keys
        and values only the next call would have committed.
        """
        oldest = torch.maximum(self.next - (self.slots - 1), self.first_valid)
        self._denoise(latent_BhwC[:, None], self.levels[:1], action_BTA[:, None], oldest, oldest, commit=1)
        self._close(oldest)

    def step_shift(self, action_BTA: Tensor) -> Tensor:
        """One call, one latent `[B,h,w,C]`: the one that has just become clean. See `shift_delay`."""
        window = torch.cat([self.window[:, 1:], self._noise()[:, None]], 1)
        actions = torch.cat([self.window_actions[:, 1:], action_BTA[:, None]], 1)
        frame = self.next - (self.slots - 1)
        x0 = self._denoise(window, self.levels[:: self.evaluations], actions, frame, self.first_valid, commit=1)[:, 1:]
        flight = window[:, 1:]
        before = torch.cat([self.estimates[:, 1:], x0[:, -1:]], 1)  # of the same latents, one level above
        for part in range(self.evaluations):
            at = slice(self.evaluations - part, None, self.evaluations)  # the levels of the latents in flight
            if part:
                x0 = self._denoise(flight, self.levels[at], actions[:, 1:], frame + 1, self.first_valid, commit=0)
            flight, before = self._move(flight, x0, before, at), x0
        self.estimates.copy_(before)
        self.window.copy_(torch.cat([window[:, :1], flight], 1))
        self.window_actions.copy_(actions)
        self.next.copy_(self.next + 1)
        return flight[:, 0]

    def step_sequential(self, action_BTA: Tensor) -> Tensor:
        """All levels for one latent, then a clean call that commits it: no delay, as many calls as levels."""
        latent, actions, frame = self._noise()[:, None], action_BTA[:, None], self.next
        before: Tensor | None = None
        for level in range(len(self.levels) - 1, 0, -1):
            at = slice(level, level + 1)
            x0 = self._denoise(latent, self.levels[at], actions, frame, frame, commit=0)
            latent, before = self._move(latent, x0, x0 if before is None else before, at), x0
        self._denoise(latent, self.levels[:1], actions, frame, frame, commit=1)
        self._close(frame)
        return latent[:, 0]

    def _move(self, x_BFhwC: Tensor, x0_BFhwC: Tensor, before_BFhwC: Tensor, at: slice) -> Tensor:
        """Latents at the levels `at`, each one level down; `before` is what x0 was one level above."""
        below = self.levels.roll(1)
        level, lower, lead = (values[at, None, None, None] for values in (self.levels, below, self.lead))
        return self.diffusion.step(x_BFhwC, x0_BFhwC + lead * (x0_BFhwC - before_BFhwC), level, lower)

    def _close(self, frame: Tensor) -> None:
        """Latent `frame` is in the history and nothing is in flight. `frame` may be `next` itself, so that goes last;
        torch.export wants a value of its own for each buffer."""
        self.first_valid.copy_(frame + 1)
        self.next.copy_(frame + 1)

    def _noise(self) -> Tensor:
        batch, _, *latent = self.window.shape
        noise: Tensor = torch.ops.yanrt.randn(self.seed, self.next, [batch, *latent])
        return noise

    def _denoise(
        self, x_BFhwC: Tensor, sigma_F: Tensor, actions_BFTA: Tensor, frame: Tensor, first_valid: Tensor, commit: int
    ) -> Tensor:
        k_rings, v_rings = ([getattr(ring, part) for ring in self.rings] for part in ("k", "v"))
        cache = RingCache(frame, first_valid, commit, self.history, k_rings, v_rings)
        x0: Tensor = self.denoiser(x_BFhwC, sigma_F, actions_BFTA, cache)
        return x0


class StepShift(nn.Module):
    """`step_shift` as a module of its own, for export; so are the two below. They share one loop."""

    def __init__(self, loop: FrameLoop) -> None:
        super().__init__()
        self.loop = loop

    def forward(self, action: Tensor) -> Tensor:
        return self.loop.step_shift(action)


class StepSequential(nn.Module):
    def __init__(self, loop: FrameLoop) -> None:
        super().__init__()
        self.loop = loop

    def forward(self, action: Tensor) -> Tensor:
        return self.loop.step_sequential(action)


class Append(nn.Module):
    def __init__(self, loop: FrameLoop) -> None:
        super().__init__()
        self.loop = loop

    def forward(self, latent: Tensor, action: Tensor) -> None:
        self.loop.append(latent, action)
