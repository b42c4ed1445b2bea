"""Whole runs in small: the same seed gives the same curve, a resumed run the uninterrupted one, two processes one."""

import multiprocessing
import os
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from python_train.common import dist
from python_train.common.checkpoint import load_model
from python_train.common.loop import Loop
from python_train.sim.train import SimTask, SimTrainConfig
from python_train.sim.world import SimModel
from python_train.vae.train import VAETask, VAETrainConfig

Run = VAETrainConfig | SimTrainConfig


@pytest.fixture(params=["vae", "sim"])
def run(request: pytest.FixtureRequest) -> Run:
    config: Run = request.getfixturevalue(f"{request.param}_run")
    return config


def make_loop(config: Run, folder: Path, world: dist.World) -> Loop:
    task = VAETask(config, world) if isinstance(config, VAETrainConfig) else SimTask(config, world)
    return Loop(task, config.loop, folder, world)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


def test_same_seed_same_curve(run: Run, tmp_path: Path) -> None:
    first = make_loop(run, tmp_path / "a", dist.World()).run()
    second = make_loop(run, tmp_path / "b", dist.World()).run()
    other = make_loop(replace(run, loop=replace(run.loop, seed=1)), tmp_path / "c", dist.World()).run()
    assert len(first) == run.loop.steps
    assert first == second
    assert first != other


def test_resumed_run_equals_uninterrupted(run: Run, tmp_path: Path) -> None:
    whole = make_loop(run, tmp_path / "whole", dist.World()).run()
    begun = make_loop(run, tmp_path / "parts", dist.World()).run(until=2)
    rest = make_loop(run, tmp_path / "parts", dist.World()).run()
    assert begun + rest == whole
    expected, found = weights(tmp_path / "whole"), weights(tmp_path / "parts")
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_training_lowers_the_loss(sim_run: SimTrainConfig, tmp_path: Path) -> None:
    loop = replace(sim_run.loop, steps=60, batch=8, validate_every=60)
    losses = make_loop(replace(sim_run, loop=loop), tmp_path, dist.World()).run()
    assert sum(losses[-10:]) < 0.7 * sum(losses[:10])


def _process(rank: int, port: int, config: Run, folder: Path) -> None:
    torch.cpu._is_avx512_bf16_supported = lambda: False
    os.environ |= {"RANK": str(rank), "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    torch.set_num_threads(1)
    world = dist.start()
    losses = make_loop(config, folder, world).run()
    if world.leads:
        torch.save(losses, folder / "losses.pt")
    dist.stop()


def test_two_processes_train_as_one(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In float32: half a batch rounds to bf16 otherwise than a whole one."""
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    alone = make_loop(run, tmp_path / "one", dist.World()).run()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    context = multiprocessing.get_context("spawn")
    processes: list[Any] = [
        context.Process(target=_process, args=(rank, port, run, tmp_path / "two")) for rank in range(2)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(90)
    assert [process.exitcode for process in processes] == [0, 0]
    assert torch.load(tmp_path / "two" / "losses.pt") == pytest.approx(alone, rel=1e-4)
    expected, found = weights(tmp_path / "one"), weights(tmp_path / "two")
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-2, atol=1e-3)


def test_checkpoint_rebuilds_the_averaged_model(sim_run: SimTrainConfig, tmp_path: Path) -> None:
    loop = make_loop(sim_run, tmp_path, dist.World())
    loop.run()
    model, config, metadata = load_model(tmp_path)
    assert isinstance(model, SimModel)
    assert config == sim_run.model
    assert not model.training
    for name, value in loop.ema.shadow.items():
        assert torch.equal(model.denoiser.get_parameter(name), value)
    assert metadata["schema"]["buttons"][0] == {"name": "MOVE_FORWARD", "key": "KeyW"}
    assert metadata["fps"] == 17.5
    assert (metadata["height"], metadata["width"], metadata["step"]) == (64, 64, 6)
    assert [row["step"] for row in metadata["curve"]] == [3, 6]
    assert metadata["hours"] == round(metadata["curve"][-1]["seconds"] / 3600, 3)
    assert metadata["data"][0]["episodes"] > 0
    assert sum(data["share"] for data in metadata["data"]) == 1
    assert model.start.latents.abs().sum() > 0
    assert (tmp_path / "sheet_000006.png").exists()
