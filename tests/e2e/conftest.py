"""A tiny simulator with random weights, exported: what the tests of this folder play."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def exporters(*arguments: object) -> str:
    command = [sys.executable, "-m", "exporters", *map(str, arguments)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, f"{run.stdout[-3000:]}\n{run.stderr[-3000:]}"
    return run.stdout


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch = pytest.importorskip("torch")
    from exporters.targets.untrained import stir
    from python_train.common.checkpoint import save_model
    from python_train.configs import tiny
    from python_train.data.doom import DOOM_SCHEMA

    torch.manual_seed(0)
    config = tiny.sim_model()
    path = tmp_path_factory.mktemp("checkpoint") / "model.safetensors"
    model = config.build().eval()
    stir(model)
    save_model(path, model, config, {"fps": 17.5, "schema": DOOM_SCHEMA.to_dict()})
    return path


@pytest.fixture(scope="session")
def package(checkpoint: Path) -> Path:
    path = checkpoint.parent / "tiny_sim.safetensors"
    exporters("sim", checkpoint, "-o", path)
    return path
