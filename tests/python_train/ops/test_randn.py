"""Philox against the known answers of its authors' `kat_vectors`; the noise against its own definition."""

import math

import pytest
import torch

from python_train.ops import randn
from python_train.ops.randn import philox

KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("counter", "key", "words"), KNOWN)
def test_philox_known_answers(counter, key, words):
    result = philox(tuple(map(torch.tensor, counter)), tuple(map(torch.tensor, key)))
    assert tuple(int(word) for word in result) == words


def test_element_follows_the_recipe():
    seed, counter = -3, 2**40 + 5
    noise = randn(torch.tensor([11, seed]), torch.tensor([0, counter]), [2, 3, 7])[1].flatten()
    group, lane = 17 // 4, 17 % 4
    halves = [word & 0xFFFFFFFF for word in (group, group >> 32, counter, counter >> 32, seed, seed >> 32)]
    words = [int(word) for word in philox(tuple(map(torch.tensor, halves[:4])), tuple(map(torch.tensor, halves[4:])))]
    u, v = ((words[lane // 2 * 2 + i] + 0.5) * 2.0**-32 for i in range(2))
    expected = math.sqrt(-2 * math.log(u)) * (math.sin if lane % 2 else math.cos)(2 * math.pi * v)
    assert noise[17].item() == pytest.approx(expected, rel=1e-6)


def test_moments_and_independence():
    noise = randn(torch.tensor([7, 8]), torch.tensor([0, 0]), [2, 100_000]).double()
    assert noise.mean(1).abs().max() < 0.02
    assert (noise.std(1) - 1).abs().max() < 0.02
    assert abs((noise[0] * noise[1]).mean()) < 0.02


def test_batch_entries_do_not_depend_on_each_other():
    both = randn(torch.tensor([5, 9]), torch.tensor([1, 2]), [2, 13])
    assert torch.equal(both[1:], randn(torch.tensor([9]), torch.tensor([2]), [1, 13]))


def test_wrong_seed_shape_is_named():
    with pytest.raises(ValueError, match=r"seed \[1\]"):
        randn(torch.tensor([5]), torch.tensor([1, 2]), [2, 13])
