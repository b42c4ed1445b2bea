"""The denoiser: who may see whom, and what it computes with and without the cache."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch
from torch import Tensor

from python_train.configs import doom
from python_train.diffusion import DDPM, RectifiedFlow
from python_train.sim import Denoiser, DenoiserConfig, SimConfig
from python_train.vae import HybridVAEConfig

FRAMES = 6


def make_denoiser(scope: str, *conditioning: str) -> Denoiser:
    """Random weights everywhere: a projection that starts at zero would hide what passes through it."""
    torch.manual_seed(0)
    sizes = {"rows": 2, "columns": 3, "width": 32, "heads": 2, "layers": 2, "action_width": 16, "max_distance": 8}
    model = DenoiserConfig(scope=scope, conditioning=conditioning or ("attention",), **sizes).build()
    with torch.no_grad():
        for p in model.parameters():
            p.add_(torch.randn_like(p) * 0.1)
    return model.eval()


WAYS = [("position",), ("frame",), ("frame", "token"), ("frame", "adaln"), ("frame", "attention", "token", "adaln")]


@pytest.fixture(scope="module", params=WAYS, ids="-".join)
def denoiser(request: pytest.FixtureRequest) -> Denoiser:
    return make_denoiser(*request.param)


def inputs(batch: int = 2) -> tuple[Tensor, Tensor, Tensor]:
    rng = torch.Generator().manual_seed(1)
    latents = torch.randn(batch, FRAMES, 2, 3, 16, generator=rng)
    levels = torch.rand(batch, FRAMES, generator=rng)
    actions = (torch.rand(batch, FRAMES, 2, 6, generator=rng) < 0.5).float()
    return latents, levels, actions


def changed_frames(denoiser: Denoiser, which: int, at: int) -> list[bool]:
    """Which frames' outputs change when input `which` (0 latents, 1 levels, 2 actions) changes in frame `at`."""
    before = inputs()
    after = [tensor.clone() for tensor in before]
    after[which][:, at] = 1 - after[which][:, at]
    with torch.no_grad():
        a, b = denoiser(*before), denoiser(*after)
    return [not torch.equal(a[:, frame], b[:, frame]) for frame in range(FRAMES)]


@pytest.mark.parametrize("which", [0, 1, 2], ids=["latents", "levels", "actions"])
def test_a_frame_changes_itself_and_later_frames_only(denoiser: Denoiser, which: int) -> None:
    assert changed_frames(denoiser, which, 3) == [False, False, False, True, True, True]


@contextmanager
def silenced(denoiser: Denoiser, sublayer: str) -> Iterator[None]:
    """Within the block, the output projections of one kind of sublayer are zero."""
    weights = [p for name, p in denoiser.named_parameters() if name.endswith(f"{sublayer}.out.weight")]
    assert weights
    kept = [weight.detach().clone() for weight in weights]
    with torch.no_grad():
        for weight in weights:
            weight.zero_()
        yield
        for weight, value in zip(weights, kept, strict=True):
            weight.copy_(value)


def test_actions_reach_a_frame_by_its_own_tokens_and_by_time_alone(denoiser: Denoiser) -> None:
    """Without temporal attention, an action changes its own frame and no other."""
    with silenced(denoiser, "temporal"):
        assert changed_frames(denoiser, 2, 3) == [frame == 3 for frame in range(FRAMES)]


def test_the_order_of_a_latents_two_actions_matters(denoiser: Denoiser) -> None:
    latents, levels, actions = inputs()
    with torch.no_grad():
        assert not torch.equal(denoiser(latents, levels, actions), denoiser(latents, levels, actions.flip(2)))


def changed_positions(denoiser: Denoiser) -> list[list[int]]:
    """Which [row, column] of any frame change with one position of the first."""
    latents, levels, actions = inputs()
    other = latents.clone()
    other[:, 0, 1, 2] += 1
    with torch.no_grad():
        difference = denoiser(latents, levels, actions) - denoiser(other, levels, actions)
    found: list[list[int]] = (difference.abs().amax((0, 1, 4)) > 0).nonzero().tolist()
    return found


def test_factorised_temporal_attention_keeps_positions_apart() -> None:
    """Without spatial attention, a position depends on itself alone, in every frame."""
    model = make_denoiser("position")
    with silenced(model, "spatial"):
        assert changed_positions(model) == [[1, 2]]
    assert len(changed_positions(model)) == 6


def test_temporal_attention_over_frames_reaches_every_position() -> None:
    model = make_denoiser("frame")
    assert len(changed_positions(model)) == 6
    with silenced(model, "temporal"):
        assert changed_positions(model) == [[1, 2]]


def test_an_unknown_scope_is_refused() -> None:
    with pytest.raises(ValueError, match="'row' is neither"):
        DenoiserConfig(scope="row")


@pytest.mark.parametrize("conditioning", [(), ("attention", "film")], ids=["none", "unknown"])
def test_actions_need_a_known_way_in(conditioning: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="one or more of"):
        DenoiserConfig(conditioning=conditioning)


def test_noise_levels_may_be_shared_by_the_batch(denoiser: Denoiser) -> None:
    latents, levels, actions = inputs()
    with torch.no_grad():
        shared = denoiser(latents, levels[0], actions)
        spread = denoiser(latents, levels[:1].expand(2, -1), actions)
    torch.testing.assert_close(shared, spread)


def test_clips_longer_than_the_bias_are_refused(denoiser: Denoiser) -> None:
    with pytest.raises(ValueError, match="9 latents"):
        denoiser(torch.zeros(1, 9, 2, 3, 16), torch.zeros(9), torch.zeros(1, 9, 2, 6))


@pytest.mark.parametrize("diffusion", [RectifiedFlow(), DDPM()], ids=["rectified", "ddpm"])
def test_diffusion_finds_its_way_back(diffusion: RectifiedFlow | DDPM) -> None:
    """With the true x0, a step lands on the noisy latent of the next level, and the last one on x0."""
    x0, noise = torch.randn(2, 4, 4), torch.randn(2, 4, 4)
    high, low, none = torch.tensor(0.75), torch.tensor(0.4), torch.tensor(0.0)
    x = diffusion.add_noise(x0, noise, high)
    torch.testing.assert_close(diffusion.step(x, x0, high, low), diffusion.add_noise(x0, noise, low))
    torch.testing.assert_close(diffusion.step(x, x0, high, none), x0, atol=5e-3, rtol=0)


def test_ddpm_predicts_epsilon() -> None:
    diffusion, sigma = DDPM(), torch.tensor(0.6)
    x0, noise = torch.randn(3, 4), torch.randn(3, 4)
    x = diffusion.add_noise(x0, noise, sigma)
    torch.testing.assert_close(diffusion.to_x0(noise, x, sigma), x0)
    guess = noise + 0.1
    weighted = (diffusion.to_x0(guess, x, sigma) - x0).square().mean() * diffusion.loss_weight(sigma)
    torch.testing.assert_close(weighted, torch.tensor(0.01))


def test_doom_fits_its_budget() -> None:
    """What the package stores: all but the adaLN projections and the noise embedding, which fold to constants."""
    with torch.device("meta"):
        sim = doom.sim().model.build()
    stored = [p.numel() for name, p in sim.named_parameters() if "adaln" not in name and ".noise." not in name]
    assert sum(stored) <= 30_500_000


@pytest.mark.parametrize(("change", "message"), [({"grades": (0.0, 0.5)}, "rise"), ({"history": 14}, "max_distance")])
def test_a_frame_loop_that_cannot_be_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SimConfig(DenoiserConfig(), HybridVAEConfig(), **change)  # type: ignore[arg-type]


def kept_variance(levels: Tensor, lead: Tensor, deviation: float) -> float:
    """The share of a Gaussian's variance that a sampler of these levels ends with, given a denoiser that is perfect."""
    diffusion, x, before = RectifiedFlow(), torch.ones(()), None
    for at in range(len(levels) - 1, 0, -1):
        sigma = levels[at]
        x0 = x * deviation**2 * (1 - sigma) / (((1 - sigma) * deviation) ** 2 + sigma**2)
        aim = x0 if before is None else x0 + lead[at] * (x0 - before)
        x, before = diffusion.step(x, aim, sigma, levels[at - 1]), x0
    return float(x / deviation) ** 2


def test_second_order_steps_keep_the_variance() -> None:
    diffusion, grades = RectifiedFlow(), torch.tensor([0.0, 0.4, 0.75, 1.0])
    assert kept_variance(grades, torch.zeros(4), 1.0) < 0.4
    assert kept_variance(grades, diffusion.lead(grades), 1.0) > 0.5
    assert diffusion.lead(grades)[[0, 1, 3]].tolist() == [0, 0, 0]
    assert diffusion.lead(torch.tensor([0.0, 1.0])).tolist() == [0, 0]
    assert DDPM().lead(grades).tolist() == [0, 0, 0, 0]


def test_the_doom_world_draws_rooms_and_details() -> None:
    """Of what is not known: rooms have unit deviation, details `detail_std`, and a lower level decides them."""
    config = doom.sim().model
    levels = torch.tensor(config.levels)
    lead = config.denoiser.diffusion.lead(levels)
    assert kept_variance(levels, lead, 1.0) > 0.95
    assert isinstance(config.vae, HybridVAEConfig)
    assert kept_variance(levels, lead, config.vae.detail_std) > 0.7
