"""Calibrated scales, the sensitivity report, and layers that stay bf16."""

import json

import numpy as np
import pytest
import torch
from torch import nn

import exporters
import yanrt
from exporters.coverage import relative_rms
from exporters.quant import calibrate, layers_to_keep, report, sensitivity
from exporters.quant.calibrate import weighted_scales
from exporters.quant.storage import fp8_values, plain_scales
from yanrt import _C


def network() -> nn.Module:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(64, 96), nn.GELU(), nn.Linear(96, 64), nn.Linear(64, 8))
    with torch.no_grad():
        module[2].weight[:, 0] *= 40  # outliers: what is left of the others is coarse
    return module


SAMPLES = [((torch.randn(16, 64, generator=torch.Generator().manual_seed(i)),), {}) for i in range(2)]


def test_calibration_sees_every_linear_layer():
    seen = calibrate(network(), SAMPLES)
    assert set(seen.energy) == {"0.weight", "2.weight", "3.weight"}
    inputs = np.concatenate([args[0].numpy() for args, _ in SAMPLES])
    np.testing.assert_allclose(seen.energy["0.weight"], (inputs**2).mean(0), rtol=1e-5)
    assert seen.peak["0.weight"] == np.abs(inputs).max()


class Shared(nn.Module):
    """A convolution, then one weight in two layers."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.a, self.b = nn.Linear(64, 64), nn.Linear(64, 64)
        self.b.weight = self.a.weight

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.b(3 * self.a(self.conv(x)[..., :64]))


def test_calibration_sees_convolutions_and_shared_weights(tmp_path):
    torch.manual_seed(0)
    module, x = Shared().eval(), torch.randn(1, 3, 4, 64)
    seen = calibrate(module, [((x,), {})])
    with torch.no_grad():
        inputs = [module.conv(x), 3 * module.a(module.conv(x))]
    assert seen.peak["conv.weight"] == x.abs().max()
    assert seen.peak["a.weight"] == seen.peak["b.weight"] == max(i.abs().max() for i in inputs)
    np.testing.assert_allclose(
        seen.energy["a.weight"], torch.cat(inputs).square().flatten(0, -2).mean(0).numpy(), rtol=1e-5
    )
    path = tmp_path / "m.safetensors"
    exporters.export(module, (x,), path, weights="f32", calibration=seen, activations="static")
    tensors = json.loads(_C.Package.read(str(path)).manifest)["tensors"]
    peaks = {name.split("[")[0]: entry["input_peak"] for name, entry in tensors.items() if "input_peak" in entry}
    assert len(peaks) == 2
    assert peaks.items() <= seen.peak.items()


@pytest.mark.parametrize("weights", ["f32", "fp8"])
def test_static_activations_from_export_to_engine(weights, tmp_path):
    """int8 with calibrated scales stays near eager PyTorch, and its kernels are those that use them."""
    module = network().eval()
    seen = calibrate(module, SAMPLES)
    args = SAMPLES[0][0]
    errors = {}
    for activations in ("dynamic", "static"):
        path = tmp_path / f"{activations}.safetensors"
        exporters.export(module, args, path, weights=weights, calibration=seen, activations=activations)
        engine = yanrt.Engine(path, precision="int8", threads=1)
        kernels = [op["kernel"] for op in engine.native.ops("forward") if op["kernel"].startswith("linear")]
        assert all(kernel.endswith(".static") == (activations == "static") for kernel in kernels)
        (y,) = engine.runner().program("forward")(args[0].numpy())
        with torch.no_grad():
            errors[activations] = relative_rms(y, module(*args).numpy())
    assert 0 < errors["dynamic"] < errors["static"] < 0.06


def test_static_activations_need_a_calibration(tmp_path):
    with pytest.raises(ValueError, match="static activations need a calibration"):
        exporters.export(network(), SAMPLES[0][0], tmp_path / "m.safetensors", activations="static")
    with pytest.raises(ValueError, match="activations 'fixed' must be one of dynamic, static"):
        exporters.export(network(), SAMPLES[0][0], tmp_path / "m.safetensors", activations="fixed")


def test_calibrated_scales_are_no_worse_and_cut_nothing():
    rng = np.random.default_rng(0)
    weight = rng.standard_normal((32, 80)).astype(np.float32)
    energy = rng.exponential(size=80).astype(np.float32) ** 3
    scales = weighted_scales(weight, energy)

    def cost(scales: np.ndarray) -> np.ndarray:
        return ((weight - fp8_values(weight, scales)) ** 2 * energy).sum(1)

    assert (cost(scales) <= cost(plain_scales(weight))).all()
    assert cost(scales).sum() < 0.95 * cost(plain_scales(weight)).sum()
    assert (np.abs(weight).max(1) / scales <= 448.001).all()


def test_sensitivity_ranks_layers_and_names_those_to_keep():
    costs = sensitivity(network(), SAMPLES)
    assert {cost.name for cost in costs} == {"0.weight", "2.weight"}
    assert costs[0].error > costs[1].error > 0
    assert layers_to_keep(costs, budget=1.0) == ()
    assert layers_to_keep(costs, budget=costs[1].error * 1.01) == (costs[0].name,)
    assert layers_to_keep(costs, budget=0.0) == (costs[0].name, costs[1].name)
    assert costs[0].name in report(costs)


def stores(path) -> dict[str, str]:
    head = path.read_bytes()
    header = json.loads(head[8 : 8 + int.from_bytes(head[:8], "little")])
    return {name: entry["dtype"] for name, entry in header.items() if name != "__metadata__"}


def test_layers_stay_bf16_and_scales_are_stored(tmp_path):
    module, path = network(), tmp_path / "m.safetensors"
    seen = calibrate(module, SAMPLES)
    args = SAMPLES[0][0]
    exporters.export(module, args, path, weights="fp8", keep=("2.*",), calibration=seen)
    assert {"0.weight": "F8_E4M3", "2.weight": "BF16", "3.weight": "BF16"}.items() <= stores(path).items()
    weight = module[0].weight.detach().numpy()
    scales = seen.scales("0.weight", weight)
    assert scales is not None
    np.testing.assert_array_equal(_C.Package.read(str(path)).tensor("0.weight.scale"), scales)


def test_a_pattern_that_matches_nothing_is_an_error(tmp_path):
    with pytest.raises(ValueError, match=r"no tensor is named like blocks\.\*"):
        exporters.export(network(), SAMPLES[0][0], tmp_path / "m.safetensors", weights="fp8", keep=("blocks.*",))
