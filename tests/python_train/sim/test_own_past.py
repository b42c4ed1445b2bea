"""Training on own rollouts: which steps do, and what the denoiser then sees and is asked for."""

from dataclasses import replace

import torch
from torch import Tensor, nn

from python_train.configs import tiny
from python_train.sim.own_past import OwnPast, OwnPastConfig
from python_train.sim.rollout import rollout
from python_train.sim.train import SimTask
from python_train.sim.validate import CONTEXT

FRAMES = 14


def clip(seed: int = 0) -> tuple[Tensor, Tensor]:
    config, rng = tiny.sim_model().denoiser, torch.Generator().manual_seed(seed)
    latents = torch.randn(2, FRAMES, config.rows, config.columns, config.channels, generator=rng)
    actions = torch.randint(2, (2, FRAMES, config.actions_per_latent, config.buttons), generator=rng).float()
    return latents, actions


def test_groups_take_their_share_of_the_steps() -> None:
    config = OwnPastConfig(share=0.25, begin=0.5, reuse=4)
    groups = [config.group(step, 160) for step in range(160)]
    assert groups[:80] == [None] * 80
    assert sum(group is not None for group in groups) == 20
    assert groups.count(groups[-1]) == 4
    assert OwnPastConfig().group(159, 160) is None


def test_the_past_is_the_context_and_then_a_rollout() -> None:
    config = tiny.sim_model()
    denoiser = config.denoiser.build()
    nn.init.normal_(denoiser.latent_out.weight, std=0.1)
    latents, actions = clip()
    own = OwnPast(denoiser, config)
    past = own.of(3, latents, actions)
    torch.testing.assert_close(past[:, :CONTEXT], latents[:, :CONTEXT])
    made = rollout(
        denoiser, replace(config, history=min(config.history, FRAMES)), latents[:, :CONTEXT], actions, "shift", 6
    )
    torch.testing.assert_close(past[:, CONTEXT:], made)
    assert not torch.allclose(made, latents[:, CONTEXT:], atol=0.1)
    assert own.of(3, *clip(1)) is past  # the same group: not played again
    assert own.of(4, *clip(1)) is not past


def test_clean_frames_show_the_own_past_and_noisy_ones_the_record() -> None:
    """The loss of a model that gives its input back says what it saw, frame by frame."""
    config = tiny.sim()
    task = SimTask.__new__(SimTask)  # no data: loss needs these alone
    task.config, task.device = config, torch.device("cpu")
    latents, actions = clip()
    past = latents + 5.0

    class Own:
        def of(self, group: int, latents: Tensor, actions: Tensor) -> Tensor:
            assert group == 7
            return past

    task.own_past = Own()  # type: ignore[assignment]
    seen: list[Tensor] = []

    class Model(nn.Module):
        def forward(self, noisy: Tensor, levels: Tensor, actions: Tensor) -> Tensor:
            seen.append(noisy)
            return latents + 2.0

    levels = torch.zeros(2, FRAMES)
    levels[:, -2:] = 0.5
    noise = torch.zeros_like(latents)
    loss, _ = task.loss(Model(), (latents, actions, levels, noise, torch.tensor(7)))
    diffusion = config.model.denoiser.diffusion
    torch.testing.assert_close(seen[0][:, :-2], past[:, :-2])
    torch.testing.assert_close(
        seen[0][:, -2:], diffusion.add_noise(latents, noise, levels[..., None, None, None])[:, -2:]
    )
    torch.testing.assert_close(loss, (4.0 * diffusion.loss_weight(levels) * (levels > 0)).mean())
