"""Networks of diffusers and transformers against eager PyTorch: a third of the table in `make test`, all of it in
`make check-all`."""

from typing import Any

import numpy as np
import pytest
import torch
from torch.utils import _pytree as pytree

import exporters
import yanrt
from exporters.coverage import LIMITS, cover, named_arrays, relative_rms
from exporters.targets.networks import NETWORKS, choose

QUICK = {network.name for network in choose(part="1/3")}


@pytest.mark.parametrize(
    "network",
    [pytest.param(n, id=n.name, marks=[] if n.name in QUICK else [pytest.mark.slow]) for n in NETWORKS],
)
def test_network(network):
    (result,) = cover([network], repeats=1)
    assert not result.failure
    assert result.ok, result.row()
    assert result.kernels < result.ops  # something was fused


def doubled(kwargs: dict[str, Any], spatial: tuple[str, ...]) -> dict[str, Any]:
    """Twice the batch, and the pictures wider by half."""

    def change(path: Any, leaf: Any) -> Any:
        if not isinstance(leaf, torch.Tensor):
            return leaf
        batch = torch.cat([leaf, leaf.flip(-1) if leaf.is_floating_point() else leaf])
        wide = batch.shape[-1] * 3 // 2
        return batch.repeat(1, 1, 1, 2)[..., :wide].contiguous() if path[0].key in spatial else batch

    return pytree.tree_map_with_path(change, kwargs)


@pytest.mark.parametrize(("name", "spatial"), [("UNet2DConditionModel", ("sample",)), ("AutoencoderTiny", ("sample",))])
def test_two_sets_of_shapes_share_their_weights(name, spatial, tmp_path):
    (network,) = choose([name])
    module, kwargs = network.build(), network.kwargs()
    sizes = {"forward": kwargs, "large": doubled(kwargs, spatial)}
    alone = exporters.export(module, (), tmp_path / "one.safetensors", kwargs=kwargs, weights="f32")
    both = exporters.export(
        module,
        (),
        tmp_path / "two.safetensors",
        kwargs=kwargs,
        programs={"large": (module, (), sizes["large"])},
        weights="f32",
    )
    weights = [{n: t.data.nbytes for n, t in m.tensors.items() if n in module.state_dict()} for m in (alone, both)]
    assert weights[0] == weights[1]
    runner = yanrt.Engine(tmp_path / "two.safetensors", precision="fp32", threads=1).runner()
    for program, arguments in sizes.items():
        with torch.no_grad():
            expected = pytree.tree_leaves(module(**arguments))
        results = runner.program(program)(**named_arrays(arguments))
        for actual, leaf in zip(results, expected, strict=True):
            assert relative_rms(actual, leaf.numpy()) < LIMITS["fp32"]
    assert results[0].shape[0] == 2


def test_a_wrong_shape_is_reported():
    with pytest.raises(ValueError, match=r"\[2\], in PyTorch \[3\]"):
        relative_rms(np.zeros(2), np.zeros(3))
