"""Start clips: held-out latents and actions from which a world is played when no frame is given."""

import numpy as np
from torch import Tensor

from ..data.clips import window_means
from ..data.latents import LatentSet


def choose_starts(data: LatentSet, clips: int, latents: int) -> tuple[Tensor, Tensor]:
    """The clip with the most open view of each episode, the most open episodes first; episodes repeat if they are few.

    Returns latents float32 `[S,N,h,w,C]` and actions float32 `[S,N,T,A]`. Only the second half of a clip is judged: it
    is where play begins.
    """
    starts = data.starts(latents)
    recent = latents - latents // 2
    view = window_means(data.openness, recent)[starts + latents - recent]
    ranked = starts[np.argsort(-view, kind="stable")]
    firsts: list[int] = []
    rest: list[int] = []
    seen: set[int] = set()
    for start in ranked:
        episode = data.episode[start]
        (rest if episode in seen else firsts).append(start)
        seen.add(episode)
    # Neighbouring starts look alike, so what fills the list is spread over the better half of the others.
    missing = max(0, clips - len(firsts))
    spread = np.linspace(0, max(len(rest) // 2 - 1, 0), missing).astype(int)
    chosen = np.array((firsts + [rest[place] for place in spread])[:clips])
    return data.clips(chosen, latents)
