"""`yanrt bench --ablate`: variants, what is missing, the chart."""

import json
from pathlib import Path

import pytest

from yanrt.ablate import VARIANTS, ablate, table
from yanrt.cli import main
from yanrt.engine import Engine
from yanrt.package import Package
from yanrt.session import Session


def test_each_variant_changes_one_thing() -> None:
    base = VARIANTS[0]
    for variant in VARIANTS[1:]:
        different = [getattr(variant, key) != getattr(base, key) for key in ("schedule", "precision", "kv", "op_by_op")]
        assert sum(different) == 1, variant.name


def test_missing_variants_are_reported(tiny: Path) -> None:
    result = ablate(Package.open(tiny), threads=1, rounds=2)
    rows = {row["variant"]: row for row in result["rows"]}
    assert list(rows) == [variant.name for variant in VARIANTS]
    assert "no schedule 'recompute'" in rows["no KV cache"]["failure"]
    assert "no K/V ring" in rows["fp8 KV"]["failure"]
    for name in ("all", "no shift window", "fp32", "no static plan"):
        assert 0 < rows[name]["p10_ms_a_frame"] <= rows[name]["p50_ms_a_frame"] <= rows[name]["p90_ms_a_frame"]
    assert rows["all"]["ratio"] == 1
    assert rows["no shift window"]["delay_frames"] == 0 < rows["all"]["delay_frames"]
    assert "failed: " in table(result)


@pytest.mark.parametrize("threads", [1, 2])
def test_op_by_op_plays_the_same_bytes(tiny: Path, threads: int) -> None:
    frames = []
    for op_by_op in (False, True):
        with Session(Engine(tiny, precision="fp32", threads=threads, op_by_op=op_by_op)) as session:
            session.reset(4)
            frames.append([session.step({"DARKER"})[0].tobytes() for _ in range(3)])
    assert frames[0] == frames[1]


def test_command_writes_table_json_and_chart(
    tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    image = pytest.importorskip("PIL.Image")
    monkeypatch.setattr("yanrt.ablate._STEPS_A_ROUND", 1)
    numbers, chart = tmp_path / "ablate.json", tmp_path / "sub" / "ablate.png"
    options = ["--ablate", "--threads", "1", "--json", str(numbers), "--chart", str(chart)]
    assert main(["bench", str(tiny), *options]) == 0
    assert "no KV cache" in capsys.readouterr().out
    assert len(json.loads(numbers.read_text())["rows"]) == len(VARIANTS)
    with image.open(chart) as picture:
        assert picture.format == "PNG"
        assert picture.width > 800
        assert len(picture.getcolors(1 << 20)) > 10
    assert main(["bench", str(tiny), "--chart", str(chart)]) == 1
    assert "give --ablate too" in capsys.readouterr().err
