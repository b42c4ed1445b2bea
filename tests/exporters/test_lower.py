"""Every lowering against eager PyTorch, through the passes, a package and the runtime."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import exporters
import yanrt
from exporters.lower import UnsupportedOpsError


class Function(nn.Module):
    def __init__(self, function: Callable[..., Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *args: Tensor) -> Tensor:
        return self.function(*args)


def run(module: nn.Module, args: tuple[Tensor, ...], folder) -> tuple[np.ndarray, ...]:
    exporters.export(module, args, folder / "m.safetensors", weights="f32")
    runner = yanrt.Engine(folder / "m.safetensors", precision="fp32", threads=1).runner()
    return runner.program("forward")(*(arg.contiguous().numpy() for arg in args))


def compare(module: nn.Module, args: tuple[Tensor, ...], folder, check_close) -> None:
    with torch.no_grad():
        expected = module.eval()(*args)
    (result,) = run(module, args, folder)
    check_close(result, expected.numpy(), "fp32")


X = (2, 3, 4, 6)
MASK = torch.arange(5)[None] <= torch.arange(4)[:, None]
FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    # views and data movement
    "reshape": lambda x: x.reshape(6, 24) + 1,
    "flatten": lambda x: x.flatten(1) * 2,
    "permute": lambda x: x.permute(3, 0, 2, 1) * 2,
    "transpose": lambda x: x.transpose(-1, 1) + x.transpose(1, -1),
    "unsqueeze": lambda x: (x.unsqueeze(1) + x.unsqueeze(2)).squeeze(0),
    "slice": lambda x: x[:, 1:, ::2, -3:] + 1,
    "select": lambda x: x[:, -1] * x[:, 0],
    "chunk": lambda x: torch.cat(x.chunk(3, -1)[::-1], -1),
    "split": lambda x: torch.cat(x.split([1, 2, 3], -1)[::-1], -1),
    "unbind": lambda x: x.unbind(1)[2] - x.unbind(1)[0],
    "stack": lambda x: torch.stack([x, x + 1], 2),
    "expand": lambda x: x[:, :1].expand(2, 5, 4, 6) * 3,
    "repeat": lambda x: x.repeat(1, 2, 1, 3) * 3,
    "pad": lambda x: F.pad(x, (1, 2, 0, 1), value=0.5),
    "crop": lambda x: F.pad(x, (-1, 2)),
    "pixel_shuffle": lambda x: F.pixel_shuffle(x.reshape(1, 8, 3, 6), 2),
    "pixel_unshuffle": lambda x: F.pixel_unshuffle(x, 2),
    "upsample": lambda x: F.interpolate(x, scale_factor=2, mode="nearest"),
    # element-wise
    "arithmetic": lambda x: (2 - x) * x / (x.abs() + 3) - 0.25 * x,
    "alpha": lambda x: torch.add(x, x, alpha=0.5) - torch.sub(x, x * 3, alpha=2),
    "divide_floor": lambda x: torch.div(x, 0.7, rounding_mode="floor"),
    "remainder": lambda x: torch.remainder(x, 0.7),
    "power": lambda x: (x.abs() + 0.1).pow(1.5) + x.pow(2),
    "reciprocal": lambda x: torch.reciprocal(x.abs() + 1),
    "exponential": lambda x: torch.log(torch.exp(x) + 1) + torch.sqrt(x.abs()) + torch.rsqrt(x.abs() + 1),
    "trigonometry": lambda x: torch.sin(x) * torch.cos(x),
    "activations": lambda x: F.silu(x) + F.gelu(x) + F.gelu(x, approximate="tanh") + F.relu(x),
    "squash": lambda x: torch.tanh(x) + torch.sigmoid(x),
    "rounding": lambda x: torch.floor(x) + torch.ceil(x) + torch.round(x * 4),
    "clamp": lambda x: x.clamp(-0.5, 0.5) + x.clamp(min=0.1) + x.clamp(max=0.2),
    "extremes": lambda x: torch.maximum(x, x * 2) + torch.minimum(x, -x),
    "comparison": lambda x: (x > 0) & ((x < 1) | ~(x.abs() >= 0.1)) & (x != 2) & ~(x == 3) | (x <= -1),
    "where": lambda x: torch.where(x > 0, x, -2 * x),
    "masked_fill": lambda x: x.masked_fill(x > 0.5, 7.0),
    "integers": lambda x: (x * 10).long() // 3 * 2 - (x * 10).to(torch.int64) % 4,
    "int32": lambda x: (x * 10).to(torch.int32) + 1,
    "int32_reduced": lambda x: (x * 10).to(torch.int32).sum(-1, dtype=torch.int32).amax(1),
    "to_bytes": lambda x: ((x + 1) * 127.5).round().clamp(0, 255).to(torch.uint8),
    "from_bool": lambda x: (x > 0).float() * 2 + (x > 1).long(),
    "to_bool": lambda x: x.round().bool(),
    "filled": lambda x: x + torch.full_like(x, 2) - torch.ones_like(x) + torch.zeros_like(x),
    "broadcast": lambda x: x * x[:1, :, :1] + torch.arange(6),
    # attention
    "attention": lambda x: F.scaled_dot_product_attention(x, x + 1, x * 2),
    "attention_causal": lambda x: F.scaled_dot_product_attention(x, x, x, is_causal=True, scale=0.3),
    "attention_mask": lambda x: F.scaled_dot_product_attention(x, x[:, :, :3], x[:, :, 1:], attn_mask=MASK[:4, :3]),
    "attention_additive": lambda x: F.scaled_dot_product_attention(x, x, x, attn_mask=x[:, :, :, :4]),
    "attention_headless": lambda x: F.scaled_dot_product_attention(x[0], x[1], x[1]),
    # indexing
    "index_select": lambda x: torch.index_select(x[0, 0], 0, torch.tensor([3, 1, 1])),
    "index": lambda x: x[torch.tensor([1, 0, 1])],
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function(name, tmp_path, check_close):
    torch.manual_seed(0)
    compare(Function(FUNCTIONS[name]), (torch.randn(X),), tmp_path, check_close)


MODULES: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "linear": (lambda: nn.Linear(6, 5), (2, 3, 6)),
    "linear_without_bias": (lambda: nn.Linear(6, 5, bias=False), (7, 6)),
    "layer_norm": (lambda: nn.LayerNorm(6), (2, 3, 6)),
    "layer_norm_plain": (lambda: nn.LayerNorm(6, elementwise_affine=False, eps=1e-3), (2, 3, 6)),
    "group_norm": (lambda: nn.GroupNorm(2, 6), (2, 6, 3, 4)),
    "conv": (lambda: nn.Conv2d(6, 4, 3, padding=1), (2, 6, 5, 7)),
    "conv_strided": (lambda: nn.Conv2d(6, 4, (3, 2), stride=2, padding=(1, 0)), (2, 6, 5, 8)),
    "conv_dilated": (lambda: nn.Conv2d(4, 4, 3, padding=2, dilation=2, bias=False), (1, 4, 6, 6)),
    "conv_groups": (lambda: nn.Conv2d(6, 6, 3, padding=1, groups=6), (1, 6, 5, 5)),
    "mlp": (lambda: nn.Sequential(nn.Linear(6, 16), nn.GELU("tanh"), nn.Linear(16, 6)), (4, 6)),
    "conv_block": (
        lambda: nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.SiLU(), nn.GroupNorm(2, 8), nn.SiLU()),
        (1, 3, 4, 4),
    ),
}


@pytest.mark.parametrize("name", MODULES)
def test_module(name, tmp_path, check_close):
    make, shape = MODULES[name]
    torch.manual_seed(0)
    module = make()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.3)
    compare(module, (torch.randn(shape),), tmp_path, check_close)


def test_embedding(tmp_path, check_close):
    compare(nn.Embedding(9, 5), (torch.tensor([[1, 8, 0], [3, 3, 2]]),), tmp_path, check_close)


class Fused(nn.Module):
    """Modulation, gate and residual tables of every grouping, as diffusion transformers have them."""

    def __init__(self) -> None:
        super().__init__()
        self.up, self.down = nn.Linear(6, 6), nn.Linear(6, 6)
        for name, shape in (("scale", (4, 1, 6)), ("shift", (4, 1, 6)), ("gate", (2, 1, 1, 6)), ("position", (5, 6))):
            self.register_buffer(name, torch.randn(shape))

    def forward(self, x: Tensor) -> Tensor:  # [2, 4, 5, 6]
        y = F.layer_norm(x, (6,)) * (1 + self.scale) + self.shift
        x = x + self.gate * self.up(y.reshape(8, 5, 6)).reshape(x.shape)
        return x + self.position * F.silu(self.down(x))


def test_fused_tables(tmp_path, check_close):
    torch.manual_seed(0)
    compare(Fused(), (torch.randn(2, 4, 5, 6),), tmp_path, check_close)


class Counter(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("total", torch.full((3,), 2.0))
        self.register_buffer("calls", torch.zeros(1, dtype=torch.int64))

    def forward(self, x: Tensor) -> Tensor:
        self.total.add_(x)
        self.calls.add_(1)
        return self.total * self.calls


def test_mutated_buffers_are_state(tmp_path):
    """Buffers that a call mutates keep their values between calls, and start at theirs in the module."""
    exporters.export(Counter(), (torch.zeros(3),), tmp_path / "m.safetensors", weights="f32")
    runner = yanrt.Engine(tmp_path / "m.safetensors", precision="fp32", threads=1).runner()
    runner.reset()
    eager = Counter()
    for x in torch.randn(3, 3):
        np.testing.assert_allclose(runner.program("forward")(x.numpy())[0], eager(x).detach(), rtol=1e-6)
    assert runner.state["calls"] == [3]


class Unsupported(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = Function(lambda x: x.cumprod(1))

    def forward(self, x: Tensor) -> Tensor:
        return torch.sort(self.inner(x))[0] + torch.median(x)


def test_one_error_names_every_unsupported_op(tmp_path):
    with pytest.raises(UnsupportedOpsError) as caught:
        exporters.export(Unsupported(), (torch.randn(2, 3),), tmp_path / "m.safetensors")
    text = str(caught.value)
    assert "aten.cumprod.default in inner" in text  # where the module is
    assert "torch.sort(self.inner(x))" in text  # and the line
    assert "aten.median.default" in text  # an op that does not depend on the first failure
    assert not (tmp_path / "m.safetensors").exists()


def test_unsupported_forms_say_why(tmp_path):
    def forward(x: Tensor) -> Tensor:
        wide = F.scaled_dot_product_attention(x, x[:, :, :3], x[:, :, :3], is_causal=True)
        return F.layer_norm(wide, (4, 6)) / math.pi

    with pytest.raises(UnsupportedOpsError, match="unequal numbers of queries and keys"):
        exporters.export(Function(forward), (torch.randn(X),), tmp_path / "m.safetensors")
