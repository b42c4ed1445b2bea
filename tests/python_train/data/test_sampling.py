"""Samplers: what is drawn depends on (seed, step), stays inside an episode and avoids blocked views."""

from pathlib import Path

import numpy as np
import torch

from python_train.configs import tiny
from python_train.data.clips import ClipConfig, ClipSampler, window_means
from python_train.data.latents import LatentSampler, LatentSet, latent_actions
from python_train.data.mixture import Mixture
from python_train.sim.start import choose_starts


def test_clips_are_a_function_of_seed_and_step(dataset: Path) -> None:
    samplers = [ClipSampler(ClipConfig(root=str(dataset)), "train", 2, seed) for seed in (5, 5, 6)]
    same, again, other = (sampler.places(7, 32) for sampler in samplers)
    assert same == again
    assert same != other
    assert same != samplers[0].places(8, 32)
    assert samplers[0].frames(same[:3]).shape == (3, 2, 64, 64, 3)


def test_clips_stay_inside_episodes(dataset: Path) -> None:
    sampler = ClipSampler(ClipConfig(root=str(dataset)), "train", 50, 0)
    assert all(start + 50 <= len(sampler.episodes[e]) for e, start in sampler.places(0, 500))


def test_blocked_views_are_drawn_by_their_weight(latents: Path) -> None:
    data = LatentSet(latents / "train.safetensors")
    data.openness = np.where(np.arange(len(data.openness)) % 2, 0.0, 20.0)
    sampler = LatentSampler(data, ClipConfig(near_weight=0.25), 1, 0)
    blocked = data.openness[sampler.places(0, 20_000)] == 0
    assert abs(blocked.mean() - 0.2) < 0.02  # 0.25 : 1


def test_samplers_of_other_streams_draw_other_clips(latents: Path) -> None:
    data = LatentSet(latents / "train.safetensors")
    one, same, other = (LatentSampler(data, ClipConfig(), 4, 0, *stream).places(7, 64) for stream in ((3,), (3,), (4,)))
    np.testing.assert_array_equal(one, same)
    assert (one != other).mean() > 0.5


def test_a_second_set_has_its_share_whoever_draws(latents: Path) -> None:
    first, second = (LatentSet(latents / f"{split}.safetensors") for split in ("train", "val"))
    second.actions = second.actions + 2  # so that one sees whose a clip is
    mixture = Mixture(*(LatentSampler(data, ClipConfig(near_weight=1.0), 4, 0) for data in (first, second)), 0.3)
    shares = []
    for step in range(10):
        whole, actions = mixture.draw(step, 8, slice(None))
        for rank in range(2):
            torch.testing.assert_close(mixture.draw(step, 8, slice(rank, None, 2))[0], whole[rank::2], rtol=0, atol=0)
        shares.append(float((actions >= 2).all((1, 2, 3)).float().mean()))
    assert {round(share * 8) for share in shares} == {2, 3}
    assert np.mean(shares) == 0.3
    alone = Mixture(mixture.first, None, 0.3).draw(0, 8, slice(None))[1]
    assert (alone < 2).all()


def test_window_means() -> None:
    np.testing.assert_allclose(window_means(np.array([1.0, 2, 3, 6]), 3), [2, 11 / 3])


def test_actions_of_a_latent_lead_into_its_frames() -> None:
    """Button i is held from frame i to i+1: latent j (frames 2j, 2j+1) has the buttons 2j-1 and 2j."""
    buttons = np.arange(7, dtype=np.uint8)[:, None]
    np.testing.assert_array_equal(latent_actions(buttons)[..., 0], [[0, 0], [1, 2], [3, 4]])


def test_latent_clips_never_cross_episodes(latents: Path) -> None:
    data = LatentSet(latents / "train.safetensors")
    starts = data.starts(16)
    assert (data.episode[starts] == data.episode[starts + 15]).all()
    clip, actions = data.clips(starts[:2], 16)
    assert clip.shape == (2, 16, 2, 2, tiny.vae_model().channels)
    assert actions.shape == (2, 16, 2, 6)
    assert clip.dtype == actions.dtype == torch.float32


def test_starts_have_open_views(latents: Path) -> None:
    data = LatentSet(latents / "val.safetensors")
    data.openness = np.zeros_like(data.openness)
    data.openness[10:14] = 9.0
    chosen, actions = choose_starts(data, 3, 8)
    assert chosen.shape == (3, 8, 2, 2, tiny.vae_model().channels)
    assert actions.shape == (3, 8, 2, 6)
    torch.testing.assert_close(chosen[0], data.latents[6:14].float())
