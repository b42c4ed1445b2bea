"""Parts of the loop: schedule, optimizers, EMA, configs, shares of a batch."""

import json
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from torch import nn

from python_train.common.checkpoint import load_model
from python_train.common.dist import World
from python_train.common.ema import Ema
from python_train.common.muon import orthogonalize
from python_train.common.optim import OptimConfig, build_optimizers, lr_scale
from python_train.config import from_dict, to_dict
from python_train.configs import RUNS, doom, tiny


def test_learning_rate_warms_up_holds_and_falls() -> None:
    config = OptimConfig(warmup=10, hold=0.5, floor=0.05)
    rates = [lr_scale(config, step, 100) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[9:51] == [1.0] * 42
    assert all(a >= b for a, b in pairwise(rates[50:]))
    assert rates[-1] == pytest.approx(0.05)


def test_orthogonal_update_has_unit_singular_values() -> None:
    matrices = torch.randn(3, 24, 8, generator=torch.Generator().manual_seed(0))
    values = torch.linalg.svdvals(orthogonalize(matrices))
    assert values.min() > 0.6
    assert values.max() < 1.3
    left, _, right = torch.linalg.svd(matrices, full_matrices=False)
    nearest = left @ right
    assert (orthogonalize(matrices) * nearest).sum() / nearest.square().sum() > 0.8


def test_muon_takes_hidden_matrices_alone() -> None:
    model = tiny.sim_model().denoiser.build()
    adamw, muon = build_optimizers(model, OptimConfig(muon_lr=0.02))
    names = {id(p): name for name, p in model.named_parameters()}
    chosen = {names[id(p)] for group in muon.param_groups for p in group["params"]}
    assert "blocks.0.temporal.qkv.project.weight" in chosen
    assert not [name for name in chosen if "adaln" in name or "bias" in name or not name.startswith("blocks.")]
    assert sum(len(group["params"]) for group in adamw.param_groups) + len(chosen) == len(names)


def test_ema_follows_and_gives_back() -> None:
    model = nn.Linear(2, 2)
    ema = Ema(model, 0.5)
    start = model.weight.detach().clone()
    with torch.no_grad():
        model.weight.add_(1.0)
    for _ in range(20):
        ema.update(model)
    with ema.applied(model):
        averaged = model.weight.detach().clone()
    torch.testing.assert_close(averaged, start + 1, atol=1e-3, rtol=0)
    torch.testing.assert_close(model.weight.detach(), start + 1)
    assert model.training


@pytest.mark.parametrize("name", sorted(RUNS))
@pytest.mark.parametrize("model", ["vae", "decoder", "sim"])
def test_configs_survive_json(name: str, model: str) -> None:
    config = getattr(RUNS[name], model)()
    assert from_dict(json.loads(json.dumps(to_dict(config)))) == config


def test_unknown_config_class_is_refused() -> None:
    with pytest.raises(ValueError, match="Popen"):
        from_dict({"type": "Popen", "args": ["true"]})


def test_doom_config_matches_its_vae() -> None:
    assert doom.sim().model.vae == doom.vae().model


def test_missing_checkpoint_names_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="python_train train"):
        load_model(tmp_path)


def test_a_batch_that_does_not_divide_is_refused() -> None:
    assert list(range(6))[World(1, 2).shard(6)] == [1, 3, 5]
    with pytest.raises(ValueError, match="5"):
        World(0, 2).shard(5)
