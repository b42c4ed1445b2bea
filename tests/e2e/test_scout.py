"""examples/scout.py writes a walk that can be played, the same every time."""

import importlib.util
import sys
from pathlib import Path

import pytest

from yanrt.package import Package, find_package
from yanrt.play.script import read_actions

SCOUT = Path(__file__).parents[2] / "examples/scout.py"


def test_a_walk_is_an_action_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = importlib.util.spec_from_file_location("scout", SCOUT)
    assert spec
    assert spec.loader
    scout = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(scout)
    monkeypatch.setattr(scout, "AHEAD", 3)
    paths = [tmp_path / name for name in ("walk.actions", "again.actions")]
    for path in paths:
        monkeypatch.setattr(sys, "argv", ["scout.py", "--seed", "1", "--frames", "36", "--out", str(path)])
        scout.main()
    assert paths[0].read_text() == paths[1].read_text()
    assert len(read_actions(paths[0], Package.open(find_package("doom")).actions)) == 36
