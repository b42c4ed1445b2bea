"""Pruning: what is cut, by what measure, and that a cut network is the masked one; the command in small."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from python_train.common import dist
from python_train.common.checkpoint import load_model
from python_train.common.loop import Loop
from python_train.configs import tiny
from python_train.prune import Group, cut, find_groups, importance, smaller
from python_train.prune.groups import masked
from python_train.prune.run import PruneConfig, prune
from python_train.sim import Denoiser, DenoiserConfig, SimModel
from python_train.sim.train import SimTask, SimTrainConfig
from python_train.vae.hybrid import HybridVAE
from python_train.vae.train import VAETask, VAETrainConfig

CONFIG = DenoiserConfig(
    rows=2, columns=3, width=32, heads=4, layers=2, action_width=24, max_distance=8, scope="position"
)
SIZES = {"heads": 2, "channels": 50}


def noisy(model: nn.Module) -> nn.Module:
    """Nothing is zero."""
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.1)
    return model.eval()


def denoiser(config: DenoiserConfig = CONFIG) -> Denoiser:
    torch.manual_seed(0)
    model = noisy(config.build())
    assert isinstance(model, Denoiser)
    return model


def loss_of(model: Denoiser, seed: int) -> Callable[[], Tensor]:
    rng = torch.Generator().manual_seed(seed)
    latents = torch.randn(2, 4, 2, 3, 16, generator=rng)
    levels, actions = torch.rand(2, 4, generator=rng), torch.rand(2, 4, 2, 6, generator=rng).round()
    return lambda: model(latents, levels, actions).square().mean()


def with_masks(model: nn.Module, masks: dict[Group, Tensor], run: Callable[[], Tensor]) -> Tensor:
    hooks = [
        model.get_submodule(group.consumer).register_forward_pre_hook(
            lambda _, inputs, mask=mask: (masked(inputs[0], mask),)
        )
        for group, mask in masks.items()
    ]
    try:
        with torch.no_grad():
            return run()
    finally:
        for hook in hooks:
            hook.remove()


def test_every_head_and_channel_is_found() -> None:
    groups = find_groups(denoiser())
    assert [(g.kind, g.path, g.units) for g in groups[:4]] == [
        ("heads", "blocks.0.spatial", 4),
        ("heads", "blocks.0.action", 4),
        ("heads", "blocks.0.temporal", 4),
        ("channels", "blocks.0.mlp", 128),
    ]
    assert len(groups) == 8
    vae = tiny.vae_model().build()
    assert [g.path for g in find_groups(vae)] == [
        f"{part}.0.{layer}" for part in ("encoder", "decoder") for layer in ("attention", "mlp")
    ]


def test_importance_is_the_square_of_the_slope() -> None:
    model = denoiser()
    groups = find_groups(model)
    scores = importance(model, groups, [loss_of(model, 0)])
    step = 1e-2
    for group in (groups[0], groups[1], groups[2], groups[3]):
        values = []
        for offset in (step, -step):
            mask = torch.ones(group.units)
            mask[1] += offset
            values.append(with_masks(model.double(), {group: mask.double()}, lambda: _double(model, 0)))
        slope = float(values[0] - values[1]) / (2 * step)
        assert scores[group.path][1].item() == pytest.approx(slope**2, rel=1e-2)
        model.float()


def _double(model: Denoiser, seed: int) -> Tensor:
    rng = torch.Generator().manual_seed(seed)
    latents = torch.randn(2, 4, 2, 3, 16, generator=rng).double()
    levels, actions = torch.rand(2, 4, generator=rng), torch.rand(2, 4, 2, 6, generator=rng).round()
    return model(latents, levels.double(), actions.double()).square().mean()


def test_a_cut_network_is_the_masked_one() -> None:
    model = denoiser()
    groups = find_groups(model)
    scores = importance(model, groups, [loss_of(model, seed) for seed in range(3)])
    small = smaller(CONFIG, SIZES["heads"], SIZES["channels"]).build().eval()
    cut(model, groups, scores, small, SIZES)
    masks = {}
    for group in groups:
        mask = torch.zeros(group.units)
        mask[scores[group.path].topk(SIZES[group.kind]).indices] = 1
        masks[group] = mask
    run = loss_of(model, 9)
    with torch.no_grad():
        torch.testing.assert_close(loss_of(small, 9)(), with_masks(model, masks, run))
        assert abs(float(run() - loss_of(small, 9)())) > 1e-3
    sizes = [sum(p.numel() for p in m.parameters()) for m in (model, small)]
    assert sizes[1] < 0.8 * sizes[0]


def test_cutting_nothing_changes_nothing() -> None:
    model = denoiser()
    groups = find_groups(model)
    scores = {group.path: torch.rand(group.units) for group in groups}
    same = smaller(CONFIG, 4, 128).build().eval()
    cut(model, groups, scores, same, {"heads": 4, "channels": 128})
    with torch.no_grad():
        assert torch.equal(loss_of(same, 2)(), loss_of(model, 2)())
    with pytest.raises(ValueError, match=r"blocks\.0\.spatial has 4 heads; 5 of them cannot be kept"):
        cut(model, groups, scores, same, {"heads": 5, "channels": 128})


def test_a_head_that_nobody_reads_goes_first() -> None:
    model = denoiser()
    group = find_groups(model)[2]
    with torch.no_grad():
        model.get_submodule(group.consumer).weight[:, 8:16] = 0  # type: ignore[index,operator]
    scores = importance(model, [group], [loss_of(model, 0)])
    assert scores[group.path][1] == 0
    assert (scores[group.path] > 0).sum() == 3


def test_a_simulator_is_pruned_and_recovers(sim_run: SimTrainConfig, tmp_path: Path) -> None:
    Loop(SimTask(sim_run, dist.World()), sim_run.loop, tmp_path / "whole", dist.World()).run()
    config = PruneConfig(replace(sim_run, start_from=str(tmp_path / "whole")), heads=1, channels=40, batches=2)
    prune(config, tmp_path / "pruned", dist.World())
    whole, cut_off, recovered = (load_model(tmp_path / name)[0] for name in ("whole", "pruned/cut", "pruned"))
    assert isinstance(whole, SimModel)
    for model in (cut_off, recovered):
        assert isinstance(model, SimModel)
        assert (model.denoiser.config.heads, model.denoiser.config.head, model.denoiser.config.ffn) == (1, 16, 40)
        assert torch.equal(model.start.latents, whole.start.latents)
    kept = cut_off.denoiser.latent_in.weight  # type: ignore[union-attr]
    assert torch.equal(kept, whole.denoiser.latent_in.weight)
    assert not torch.equal(recovered.denoiser.latent_in.weight, kept)  # type: ignore[union-attr]


def test_a_decoder_is_pruned_and_its_latents_stay(vae_run: VAETrainConfig, tmp_path: Path) -> None:
    Loop(VAETask(vae_run, dist.World()), vae_run.loop, tmp_path / "whole", dist.World()).run()
    run = replace(vae_run, start_from=str(tmp_path / "whole"), decoder_only=True)
    prune(PruneConfig(run, heads=1, channels=40, batches=2), tmp_path / "pruned", dist.World())
    whole, recovered = (load_model(tmp_path / name)[0] for name in ("whole", "pruned"))
    assert isinstance(whole, HybridVAE)
    assert isinstance(recovered, HybridVAE)
    assert recovered.decoder[0].mlp.up.out_features == 40
    assert recovered.encoder[0].mlp.up.out_features == 128
    frames = torch.randint(0, 256, (1, 2, 64, 64, 3), dtype=torch.uint8)
    assert torch.equal(recovered.encode_frames(frames), whole.encode_frames(frames))
