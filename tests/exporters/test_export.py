"""`exporters.export` itself: several functions, shared state, nested arguments, and what it refuses."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import exporters
import yanrt
from exporters.lower import DynamicModelError, UnsupportedOpsError


class Memory(nn.Module):
    """Keeps the last vector; `push` and `read` share it."""

    def __init__(self) -> None:
        super().__init__()
        self.project = nn.Linear(4, 4)
        self.register_buffer("last", torch.zeros(4))

    def push(self, x: Tensor) -> None:
        self.last.copy_(self.project(x))

    def read(self, scale: Tensor) -> Tensor:
        return self.last * scale + self.project(scale)


def test_functions_share_state_and_weights(tmp_path):
    module, x = Memory().eval(), torch.randn(4)
    functions = {"push": (module.push, (x,)), "read": (module.read, (x,))}
    exported = exporters.export(module, None, tmp_path / "m.safetensors", programs=functions, weights="f32")
    assert {"project.weight", "project.bias"} <= set(exported.tensors)
    runner = yanrt.Engine(tmp_path / "m.safetensors", precision="fp32", threads=1).runner()
    assert runner.program("push")(x.numpy()) == ()
    (y,) = runner.program("read")(scale=np.full(4, 2.0, np.float32))
    with torch.no_grad():
        module.push(x)
        np.testing.assert_allclose(y, module.read(torch.full((4,), 2.0)), rtol=1e-5, atol=1e-6)


class Nested(nn.Module):
    def forward(self, pair: tuple[Tensor, Tensor], options: dict[str, Tensor | None], flip: bool = False) -> Tensor:
        a, b = pair
        y = a - b if flip else a + b
        return y if options["bias"] is None else y + options["bias"]


def test_nested_arguments_and_constants(tmp_path):
    a, b = torch.randn(3), torch.randn(3)
    kwargs = {"options": {"bias": None}, "flip": True}
    exporters.export(Nested(), ((a, b),), tmp_path / "m.safetensors", kwargs=kwargs)
    program = yanrt.Engine(tmp_path / "m.safetensors", precision="fp32", threads=1).runner().program("forward")
    assert len(program.inputs) == 2
    np.testing.assert_array_equal(program(a.numpy(), b.numpy())[0], (a - b).numpy())


class Branch(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x * 2 if x.sum() > 0 else x


class Loop(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        for _ in range(int(x[0])):
            x = x + 1
        return x


@pytest.mark.parametrize("module", [Branch(), Loop()], ids=["if", "for"])
def test_control_flow_over_data_is_refused(module, tmp_path):
    with pytest.raises(DynamicModelError, match=r"forward: .*depends on the values of tensors"):
        exporters.export(module, (torch.ones(3),), tmp_path / "m.safetensors")


class Selected(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x[x > 0] * 2


class Noisy(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x + torch.randn(3)


@pytest.mark.parametrize(
    ("module", "reason"),
    [(Selected(), "depends on the values of tensors"), (Noisy(), "draws random numbers")],
    ids=["shape", "random"],
)
def test_shapes_of_data_and_random_numbers_are_refused(module, reason, tmp_path):
    with pytest.raises(UnsupportedOpsError, match=reason):
        exporters.export(module, (torch.ones(3),), tmp_path / "m.safetensors")


class Sized(nn.Module):
    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("total", torch.zeros(size))

    def forward(self, x: Tensor) -> Tensor:
        self.total.add_(x)
        return self.total * 1


def test_one_state_of_two_shapes_is_refused(tmp_path):
    programs = {"other": (Sized(4), (torch.ones(4),))}
    with pytest.raises(ValueError, match="state 'total' is f32\\[3\\] in one program"):
        exporters.export(Sized(3), (torch.ones(3),), tmp_path / "m.safetensors", programs=programs)


def test_wrong_arguments_of_a_program_are_named(tmp_path):
    exporters.export(Branchless(), (torch.ones(3), torch.ones(3)), tmp_path / "m.safetensors")
    program = yanrt.Engine(tmp_path / "m.safetensors", precision="fp32", threads=1).runner().program("forward")
    x = np.ones(3, np.float32)
    for arrays, named in (((x,), {}), ((x, x, x), {}), ((x, x), {"x": x}), ((x,), {"z": x})):
        with pytest.raises(yanrt.ArgumentError, match="takes x, y; got"):
            program(*arrays, **named)
    with pytest.raises(yanrt.ArgumentError, match="no program 'back'; it has forward"):
        yanrt.Engine(tmp_path / "m.safetensors").runner().program("back")


class Branchless(nn.Module):
    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return x - y
