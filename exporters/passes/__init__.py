"""Passes over the IR. One file, one idea; `PASSES` is the whole pipeline, in order."""

from collections.abc import Callable

from ..ir import Module, verify
from ..ir.graph import Graph
from .common_subexpressions import common_subexpressions
from .dead_code import dead_code
from .drop_expands import drop_expands
from .fold_constants import fold_constants
from .fold_scales import fold_scales
from .fuse_activation import fuse_activation
from .fuse_attention import fuse_attention
from .fuse_gate import fuse_gate
from .fuse_modulate import fuse_modulate
from .fuse_pointwise import fuse_pointwise
from .fuse_residual import fuse_residual
from .fuse_rms_norm import fuse_rms_norm
from .hoist_reshapes import hoist_reshapes
from .permute_last import permute_last
from .simplify_views import simplify_views
from .sink_permutes import sink_permutes
from .sink_views import sink_views
from .slice_concat import slice_concat
from .unused_tensors import unused_tensors

Pass = Callable[[Module, Graph], None]

PASSES: tuple[Pass, ...] = (
    # Clean up what the lowering left.
    fold_constants,
    common_subexpressions,
    dead_code,
    fuse_rms_norm,  # while its parts stand side by side
    # Layout: bring views out of the way of the fusions below.
    drop_expands,
    simplify_views,
    slice_concat,
    hoist_reshapes,
    sink_permutes,
    sink_views,
    simplify_views,
    sink_permutes,
    sink_views,
    simplify_views,
    fold_constants,
    common_subexpressions,
    dead_code,
    # Fusion into the ops that have an epilogue: in the order in which the epilogue applies them.
    fuse_attention,
    fuse_modulate,
    fold_scales,
    fuse_activation,
    fuse_gate,
    fuse_residual,
    fuse_pointwise,
    permute_last,
    # Clean up again.
    simplify_views,
    fold_constants,
    common_subexpressions,
    dead_code,
)


def optimize(
    module: Module, passes: tuple[Pass, ...] = PASSES, after: Callable[[str], None] = lambda name: None
) -> None:
    """Runs every pass over every program; the module is verified after each. `after` is told the pass's name."""
    verify(module)
    for run in passes:
        for program in module.programs.values():
            run(module, Graph(program))
        verify(module)
        after(run.__name__)
    unused_tensors(module)


__all__ = ["PASSES", "optimize"]
