from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.yanrt.tiny_world import write_tiny_world
from yanrt.session import Session


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Path of the hand-made world of tiny_world.py."""
    return write_tiny_world(tmp_path_factory.mktemp("tiny") / "tiny.safetensors")


@pytest.fixture
def session(tiny: Path) -> Iterator[Session]:
    with Session(tiny, precision="fp32") as session:
        yield session
