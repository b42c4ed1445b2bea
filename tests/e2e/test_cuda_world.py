"""A tiny Yan-Sim plays 64 steps on the CUDA backend, in the simulator, its rings turning many times: in bf16 as on the
CPU, in fp8 as a float64 reference that quantises alike."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import yanrt
from tests.conftest import TOLERANCE, relative_errors
from tests.reference.program import ReferenceProgram

sim = pytest.importorskip("yanrt._cuda_sim", reason="built without YANRT_CUDA=SIM")

STEPS = 64
SHIFT = "sim/step_shift"


@pytest.fixture(autouse=True)
def checked() -> Iterator[None]:
    sim.configure(order="random", seed=5)
    sim.take_reports()
    yield
    assert sim.take_reports() == []


def held(package: yanrt.Package, step: int) -> set[str]:
    """One button after another, each for four steps."""
    return {package.actions.names[step // 4 % len(package.actions.names)]}


def play(package: Path, device: str, steps: int = STEPS, gemm: str = "own") -> NDArray[Any]:
    engine = yanrt.Engine(package, device=device, precision="bf16", gemm=gemm)
    with yanrt.Session(engine) as session:
        frames = [session.reset(seed=3)[0].copy()]
        frames += [session.step(held(session.package, step))[0].copy() for step in range(steps)]
    return np.stack(frames).astype(int)


def test_64_free_steps_in_bf16_show_what_the_cpu_shows(package: Path) -> None:
    expected, actual = play(package, "cpu"), play(package, "cuda-sim")
    assert expected.std() > 10, "a picture of nothing would hide every mistake"
    assert np.abs(actual - expected).max() <= 2


def test_products_by_cublaslt_show_the_same(package: Path) -> None:
    """By its stand-in (tests/cuda/test_cublaslt.py), captured in the graph."""
    library = Path(yanrt.__file__).parent / "libyanrt_fake_cublaslt.so"
    expected, actual = play(package, "cpu", 8), play(package, "cuda-sim", 8, f"cublaslt:{library}")
    assert np.abs(actual - expected).max() <= 2


def errors_of(package: Path, device: str, precision: str, steps: int) -> tuple[list[float], list[float]]:
    """Relative RMS error of each step's latent and of the worst of the states after it. Every step begins where the
    reference stands: a rounding that falls to the other side is one step's error, not that of all that follow."""
    runner = yanrt.Engine(package, device=device, precision=precision).runner()
    runner.reset(7)
    opened = runner.engine.package
    reference = ReferenceProgram(opened.native, opened.manifest, SHIFT, fp8=precision == "fp8")
    state = {name: runner.state[name] for name in runner.state}
    latents, states = [], []
    for step in range(steps):
        for name, value in state.items():
            runner.state[name] = value
        action = np.asarray(opened.actions.encode(held(opened, step), opened.temporal_factor, opened.batch))
        (actual,), (expected,) = runner.program(SHIFT)(action), reference([action], state)
        latents.append(relative_errors(actual, expected)[0])
        states.append(max(relative_errors(runner.state[n], state[n].astype(np.float64))[0] for n in state))
    return latents, states


def test_64_steps_in_fp8_follow_a_reference_that_quantises_alike(package: Path) -> None:
    latents, states = errors_of(package, "cuda-sim", "fp8", STEPS)
    assert max(latents) < 10 * TOLERANCE["fp8"][0], "a code that falls to the other side moves a step by so much"
    assert np.median(latents) < TOLERANCE["fp8"][0]
    assert np.median(states) < TOLERANCE["fp8"][0]


def test_the_reference_tells_rounding_from_quantising(package: Path) -> None:
    """The CPU's fp8 keeps activations in bf16: a comparison that passed it would see nothing."""
    assert np.median(errors_of(package, "cpu", "bf16", 8)[0]) < TOLERANCE["bf16"][0]
    assert np.median(errors_of(package, "cpu", "fp8", 8)[0]) > 3 * TOLERANCE["fp8"][0]
