"""The frame loop against a naive one that keeps every latent and recomputes the whole past in each call."""

import pytest
import torch
from torch import Tensor

from python_train.diffusion import DDPM, RectifiedFlow
from python_train.ops import randn
from python_train.sim.blocks import TemporalAttention
from python_train.sim.frame_loop import FrameLoop
from python_train.sim.model import DenoiserConfig
from python_train.sim.world import SimConfig
from python_train.vae import HybridVAEConfig

HISTORY = 5


def make_config(diffusion=None, scope: str = "frame", evaluations: int = 1) -> SimConfig:
    denoiser = DenoiserConfig(
        rows=1, columns=2, channels=4, buttons=3, width=16, heads=2, layers=2, action_width=8, scope=scope,
        diffusion=diffusion or RectifiedFlow(),
    )  # fmt: skip
    grades = (0.0, 0.3, 0.6, 1.0)
    return SimConfig(denoiser, HybridVAEConfig(height=32, width=64), grades, evaluations, HISTORY)


def make_loop(config: SimConfig, batch: int = 2) -> FrameLoop:
    torch.manual_seed(0)
    denoiser = config.denoiser.build().eval()
    with torch.no_grad():
        for parameter in denoiser.parameters():  # no zero projections: every path must matter
            parameter.add_(torch.randn_like(parameter) * 0.1)
    loop = FrameLoop(denoiser, config, batch).eval()
    loop.reset(torch.arange(batch) + 7)
    return loop


class NaiveLoop:
    """History as a list of clean latents; one world, no ring, no cache."""

    def __init__(self, loop: FrameLoop, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.loop, self.seed = loop, torch.tensor([seed])
        self.past: list[tuple[Tensor, Tensor]] = []  # clean latents that are in the history, with their actions
        self.flight: list[tuple[Tensor, Tensor]] = []  # oldest first
        self.estimates: list[list[Tensor]] = []  # of each of them
        self.next = 0
        monkeypatch.setattr(TemporalAttention, "forward", lambda *args: self._temporal(*args))

    def _temporal(self, module: TemporalAttention, x: Tensor, cache: None, layer: int) -> Tensor:
        """All positions of all latents in one softmax, the unseen ones masked."""
        f, p = x.shape[1:3]
        q, k, v = module.qkv(x)
        index = torch.arange(f)
        distance = index[:, None] - index
        base = index.clamp(max=len(self.past))  # a call sees HISTORY latents before its oldest one
        seen = (distance >= 0) & (index >= base[:, None] - HISTORY)
        bias = module.bias[:, distance.clamp(0, module.bias.shape[1] - 1)].masked_fill(~seen, -torch.inf)
        logits = torch.einsum("bfphk,bgrhk->bhfpgr", q, k) * q.shape[-1] ** -0.5 + bias[:, :, None, :, None]
        if module.scope == "position":
            logits = logits.masked_fill(~torch.eye(p, dtype=torch.bool)[:, None, :], -torch.inf)
        weights = logits.flatten(-2).softmax(-1).view_as(logits)
        return module.out(torch.einsum("bhfpgr,bgrhk->bfphk", weights, v).reshape(x.shape))

    def _denoise(self, window: list[Tensor], levels: list[int], actions: list[Tensor]) -> list[Tensor]:
        latents = torch.stack([latent for latent, _ in self.past] + window)[None]
        everything = torch.stack([action for _, action in self.past] + actions)[None]
        sigma = self.loop.levels[torch.tensor([0] * len(self.past) + levels)]
        return list(self.loop.denoiser(latents, sigma, everything)[0, len(self.past) :])

    def _move(self, x: Tensor, estimates: list[Tensor], level: int) -> Tensor:
        """`estimates` of the latent's x0 so far, one a level: the last two are carried on to the middle of a step that
        is neither the first nor the last."""
        levels, x0 = self.loop.levels, estimates[-1]
        if isinstance(self.loop.diffusion, RectifiedFlow) and len(estimates) > 1 and level > 1:
            middle = (levels[level] + levels[level - 1]) / 2
            slope = (estimates[-2] - x0) / (levels[level + 1] - levels[level])
            x0 = x0 + slope * (middle - levels[level])
        return self.loop.diffusion.step(x, x0, levels[level], levels[level - 1])

    def _noise(self) -> Tensor:
        noise = randn(self.seed, torch.tensor([self.next]), [1, *self.loop.window.shape[2:]])[0]
        self.next += 1
        return noise

    def append(self, latent: Tensor, action: Tensor) -> None:
        self.next -= len(self.flight)
        self.flight, self.estimates = [], []
        self.past.append((latent, action))
        self.next += 1

    def step_shift(self, action: Tensor) -> Tensor | None:
        slots, evaluations = self.loop.slots, self.loop.evaluations
        self.flight.append((self._noise(), action))
        self.estimates.append([])
        grades = list(range(slots - len(self.flight), slots))
        for part in range(evaluations):
            window, actions = [x for x, _ in self.flight], [a for _, a in self.flight]
            levels = [grade * evaluations - part for grade in grades]
            x0 = self._denoise(window, levels, actions)
            for estimates, estimate in zip(self.estimates, x0, strict=True):
                estimates.append(estimate)
            moved = [self._move(x, e, at) if at else x for x, e, at in zip(window, self.estimates, levels, strict=True)]
            self.flight = list(zip(moved, actions, strict=True))
            if grades[0] == 0:
                self.past.append(self.flight.pop(0))
                self.estimates.pop(0)
                grades.pop(0)
        return self.flight[0][0] if grades[0] == 1 else None

    def step_sequential(self, action: Tensor) -> Tensor:
        latent, estimates = self._noise(), []
        for level in range(len(self.loop.levels) - 1, 0, -1):
            estimates.append(self._denoise([latent], [level], [action])[0])
            latent = self._move(latent, estimates, level)
        self.past.append((latent, action))
        return latent


@pytest.mark.parametrize("diffusion", [RectifiedFlow(), DDPM()], ids=["rectified", "ddpm"])
@pytest.mark.parametrize("schedule", ["step_shift", "step_sequential"])
@pytest.mark.parametrize("scope", ["position", "frame"])
@pytest.mark.parametrize("evaluations", [1, 2, 3])
@torch.no_grad()
def test_matches_the_naive_loop(evaluations, scope, schedule, diffusion, monkeypatch):
    """More than two turns of the ring, with appends at the start, in the middle and twice in a row."""
    config = make_config(diffusion, scope, evaluations)
    loop = make_loop(config)
    generator = torch.Generator().manual_seed(1)
    script = ["append"] * 2 + ["step"] * 9 + ["append"] * 2 + ["step"] + ["append"] + ["step"] * 8
    latents = torch.randn(len(script), 2, 1, 2, 4, generator=generator)
    actions = torch.randint(2, (len(script), 2, 2, 3), generator=generator).float()
    outputs = []
    for event, latent, action in zip(script, latents, actions, strict=True):
        outputs.append(loop.append(latent, action) if event == "append" else getattr(loop, schedule)(action))

    for world in range(2):
        naive = NaiveLoop(loop, 7 + world, monkeypatch)
        meaningful = 0
        for i, event in enumerate(script):
            if event == "append":
                naive.append(latents[i, world], actions[i, world])
                continue
            expected = getattr(naive, schedule)(actions[i, world])
            if expected is not None:
                torch.testing.assert_close(outputs[i][world], expected, rtol=1e-3, atol=1e-4)
                meaningful += 1
        assert meaningful == {"step_shift": 9 + 8 - 2 * loop.shift_delay, "step_sequential": 18}[schedule]


@torch.no_grad()
def test_first_meaningful_call_is_the_delay():
    """Two loops that differ in what was in flight agree from call `shift_delay` on, and not before."""
    loops = [make_loop(make_config()) for _ in range(2)]
    loops[0].window.normal_()
    action = torch.ones(2, 2, 3)
    results = []
    for loop in loops:
        loop.append(torch.ones(2, 1, 2, 4), action)
        results.append(torch.stack([loop.step_shift(action) for _ in range(6)]))
    same = [torch.equal(a, b) for a, b in zip(*results, strict=True)]
    assert same == [i >= loops[0].shift_delay for i in range(6)]


@torch.no_grad()
def test_seed_and_action_matter():
    config = make_config()
    outputs = {}
    for name, seed, held in (("base", 0, 0.0), ("again", 0, 0.0), ("seed", 1, 0.0), ("action", 0, 1.0)):
        loop = make_loop(config)
        loop.reset(torch.full((2,), seed))
        outputs[name] = loop.step_sequential(torch.full((2, 2, 3), held))
    assert torch.equal(outputs["base"], outputs["again"])
    assert not torch.allclose(outputs["base"], outputs["seed"], atol=1e-3)
    assert not torch.allclose(outputs["base"], outputs["action"], atol=1e-3)
