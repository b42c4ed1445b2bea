"""The vectorised body against docs/ring_attention.md written out as loops in float64."""

import math

import numpy as np
import pytest
import torch

from python_train.ops import ring_attention


def loops(q, k, v, k_ring, v_ring, frame, first_valid, bias, commit, history, scope, scale):
    """One query at a time; returns the output and mutates the rings."""
    B, W, P, H, _ = q.shape
    S = k_ring.shape[1]
    out = np.zeros_like(q)
    for b, i, p, h in np.ndindex(B, W, P, H):
        if frame[b] + i < first_valid[b]:
            continue
        c = max(frame[b], first_valid[b])
        cached = [(g, k_ring[b, g % S], v_ring[b, g % S]) for g in range(max(0, c - history), c)]
        window = [(frame[b] + j, k[b, j], v[b, j]) for j in range(i + 1) if frame[b] + j >= first_valid[b]]
        positions = [p] if scope == "position" else range(P)
        logits, values = [], []
        for g, key, value in cached + window:
            for x in positions:
                logits.append(
                    scale * q[b, i, p, h] @ key[x, h] + (bias[h, frame[b] + i - g] if bias is not None else 0)
                )
                values.append(value[x, h])
        weights = np.exp(np.array(logits) - max(logits))
        out[b, i, p, h] = weights @ np.array(values) / weights.sum()
    for b, i in np.ndindex(B, commit):
        if frame[b] + i >= first_valid[b]:
            k_ring[b, (frame[b] + i) % S], v_ring[b, (frame[b] + i) % S] = k[b, i], v[b, i]
    return out


@pytest.mark.parametrize("scope", ["position", "frame"])
@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize(("W", "history", "commit"), [(1, 3, 1), (4, 3, 1), (4, 5, 2), (3, 0, 0), (2, 6, 0)])
def test_matches_loops(scope, biased, W, history, commit):
    rng = np.random.default_rng(0)
    B, P, H, D, S = 6, 3, 2, 4, history + max(commit, 1)
    q, k, v = rng.normal(size=(3, B, W, P, H, D))
    rings = rng.normal(size=(2, B, S, P, H, D))
    frame = np.array([0, -2, 5, 2, 17, 9])
    first_valid = np.array([0, 0, 0, 3, 17, 12])  # the last: no slot of a small window exists
    bias = rng.normal(size=(H, history + W)) if biased else None
    k_ring, v_ring = torch.tensor(rings[0]), torch.tensor(rings[1])
    arguments = (
        torch.tensor(frame),
        torch.tensor(first_valid),
        None if bias is None else torch.tensor(bias),
        commit,
        history,
        scope,
        0.7,
    )
    out = ring_attention(*map(torch.tensor, (q, k, v)), k_ring, v_ring, *arguments)
    expected = loops(q, k, v, rings[0], rings[1], frame, first_valid, bias, commit, history, scope, 0.7)
    np.testing.assert_allclose(out, expected, atol=1e-12)
    np.testing.assert_array_equal(k_ring, rings[0])
    np.testing.assert_array_equal(v_ring, rings[1])


def test_ring_holds_the_same_as_full_attention():
    """Frame by frame with commits = causal attention over the last `history` frames, for several turns of the ring."""
    torch.manual_seed(0)
    N, P, H, D, history = 20, 2, 2, 8, 6
    q, k, v = torch.randn(3, 1, N, P, H, D, dtype=torch.float64)
    rings = torch.zeros(2, 1, history + 1, P, H, D, dtype=torch.float64)
    scale = 1 / math.sqrt(D)
    for g in range(N):
        step = [x[:, g : g + 1] for x in (q, k, v)]
        frame = torch.tensor([g])
        out = ring_attention(*step, rings[0], rings[1], frame, frame, None, 1, history, "position", scale)
        low = max(0, g - history)
        logits = torch.einsum("phd,nphd->phn", q[0, g], k[0, low : g + 1]) * scale
        expected = torch.einsum("phn,nphd->phd", logits.softmax(-1), v[0, low : g + 1])
        torch.testing.assert_close(out[0, 0], expected)


def test_opcheck():
    """torch's own test of the registration: schema, mutation, fake."""
    x = torch.randn(1, 2, 3, 2, 4)
    ring = torch.zeros(1, 5, 3, 2, 4)
    zero = torch.zeros(1, dtype=torch.int64)
    arguments = (x, x.clone(), x.clone(), ring, ring.clone(), zero, zero.clone(), None, 1, 4, "position", 0.5)
    torch.library.opcheck(ring_attention, arguments, test_utils=("test_schema", "test_faketensor"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"history": 9}, "5 ring slots"),
        ({"commit": 3}, "window 2"),
        ({"scope": "row"}, "'row'"),
        ({"bias": torch.zeros(2, 3)}, r"bias \[2, 3\]"),
        ({"k": torch.zeros(1, 2, 3, 2, 5)}, "must agree"),
        ({"v_ring": torch.zeros(1, 6, 3, 2, 4)}, "rings"),
    ],
)
def test_errors_name_the_values(change, message):
    x, ring, zero = torch.zeros(1, 2, 3, 2, 4), torch.zeros(1, 5, 3, 2, 4), torch.zeros(1, dtype=torch.int64)
    arguments = {"q": x, "k": x, "v": x, "k_ring": ring, "v_ring": ring.clone(), "frame": zero, "first_valid": zero}
    arguments |= {"bias": None, "commit": 1, "history": 4, "scope": "position", "scale": 0.5}
    with pytest.raises(ValueError, match=message):
        ring_attention(**(arguments | change))
