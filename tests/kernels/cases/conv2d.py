from tests.kernels.cases.arrays import Arrays
from tests.support.op_case import Case

a = Arrays(11)


def case(
    name: str,
    x: tuple[int, int, int, int],
    out: int,
    kernel: tuple[int, int] = (3, 3),
    *,
    stride: tuple[int, int] = (1, 1),
    padding: tuple[int, int, int, int] = (1, 1, 1, 1),
    dilation: tuple[int, int] = (1, 1),
    groups: int = 1,
    act: str = "none",
    bias: bool = True,
    residual: bool = False,
) -> Case:
    """x [B, H, W, I] -> [B, H', W', out]; padding is (top, left, bottom, right)."""
    batch, height, width, channels = x
    top, left, bottom, right = padding
    y = (
        batch,
        (height + top + bottom - dilation[0] * (kernel[0] - 1) - 1) // stride[0] + 1,
        (width + left + right - dilation[1] * (kernel[1] - 1) - 1) // stride[1] + 1,
        out,
    )
    fan_in = kernel[0] * kernel[1] * channels // groups
    operands = [
        a.normal(*x),
        a.normal(out, *kernel, channels // groups, scale=fan_in**-0.5),
        a.normal(out) if bias else None,
        a.normal(*y) if residual else None,
    ]
    attrs = {"stride": list(stride), "padding": list(padding), "dilation": list(dilation), "groups": groups, "act": act}
    return Case("conv2d", name, operands, y, attrs)


NONE = (0, 0, 0, 0)

EPILOGUES = [
    case(f"{act}-{kind}", (1, 5, 4, 6), 20, act=act, bias=bias, residual=residual, groups=groups)
    for act in ("none", "gelu", "gelu_tanh", "silu", "relu")
    for kind, bias, residual, groups in (
        ("bare", False, False, 1),
        ("bias", True, False, 1),
        ("residual", False, True, 2),
        ("all", True, True, 1),
    )
]

CASES = [
    *EPILOGUES,
    case("rgb", (1, 9, 11, 3), 16),
    case("usual", (1, 8, 10, 32), 40),
    case("many-pixels", (1, 23, 31, 24), 33),
    case("batch", (3, 5, 6, 7), 9),
    case("one-pixel", (2, 1, 1, 5), 7),
    case("no-padding", (1, 6, 7, 4), 8, padding=NONE),
    case("one-sided-padding", (1, 6, 7, 4), 8, padding=(2, 0, 0, 1)),
    case("wide-padding", (1, 3, 2, 4), 8, padding=(2, 1, 2, 2)),
    case("stride", (1, 9, 10, 6), 8, stride=(2, 2)),
    case("uneven-stride", (1, 9, 10, 6), 8, stride=(1, 3)),
    case("stride-beyond-kernel", (1, 9, 10, 6), 8, (1, 2), stride=(4, 3), padding=NONE),
    case("dilation", (1, 9, 10, 5), 8, dilation=(2, 3), padding=(2, 3, 2, 3)),
    case("dilation-and-stride", (1, 12, 13, 5), 8, dilation=(2, 2), stride=(2, 3)),
    case("wide-kernel", (1, 5, 6, 2), 6, (5, 7), padding=(2, 3, 2, 3)),
    case("patches", (1, 8, 12, 3), 24, (4, 4), stride=(4, 4), padding=NONE),
    case("causal-row", (1, 1, 9, 6), 10, (1, 3), padding=(0, 2, 0, 0)),
    case("one-to-one", (2, 5, 6, 16), 24, (1, 1), padding=NONE, residual=True),
    case("one-to-one-odd", (1, 5, 6, 17), 23, (1, 1), padding=NONE),
    case("one-to-one-stride", (1, 5, 6, 16), 24, (1, 1), stride=(2, 2), padding=NONE),
    # Rows of y that fill a tile, channels that fill its steps: fields are read from an image.
    case("image", (2, 5, 16, 32), 40, act="silu", residual=True),
    case("image-strided", (1, 7, 33, 64), 20, stride=(2, 2), padding=(1, 0, 1, 1)),
    case("image-dilated", (2, 6, 30, 32), 33, dilation=(2, 3), padding=(3, 4, 1, 2)),
    case("image-mostly-border", (1, 2, 1, 32), 16, (3, 16), padding=(2, 15, 1, 15)),
    case("image-deep", (1, 2, 16, 448), 16),
    case("half-a-panel", (1, 5, 16, 32), 32, act="silu", residual=True),
    case("groups", (1, 6, 7, 12), 20, groups=4),
    case("groups-one-to-one", (1, 6, 7, 12), 18, (1, 1), padding=NONE, groups=3),
    case("groups-dilated", (1, 8, 9, 6), 8, groups=2, dilation=(2, 2), stride=(1, 2), residual=True),
    case("one-channel-a-group", (1, 5, 6, 4), 12, groups=4),
    case("depthwise", (2, 7, 9, 33), 33, groups=33, act="silu", residual=True),
    case("depthwise-strided", (1, 9, 8, 24), 24, groups=24, stride=(2, 2), dilation=(2, 1), padding=(2, 1, 0, 2)),
    case("depthwise-many-pixels", (1, 30, 31, 40), 40, groups=40, act="gelu"),
]
