"""Mutation test of the kernels: one small change at a time; a mutant that no test notices survives.

    python -m tests.cuda.mutate [--limit 60] [--seed 1] [--only gemm]        or: make mutate-cuda

Every mutant is compiled and run through the case lists in the simulator, in random order with all checks. The unchanged
sources go first: their tests must pass, and the time they take says when a mutant hangs. Prints a line each and the
score: killed / (killed + survived). Those that do not compile are not counted. The JSON file is written after every
mutant, so that a run may be cut short.
"""

import argparse
import json
import random
import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.cuda.workbench import ROOT, Workbench

KERNELS = Path("csrc/backends/cuda/kernels")

# (what to find, what to put there). A group of one character keeps the rest of the match.
RULES: list[tuple[str, str]] = [
    (r"__syncthreads\(\);", ";"),
    (r"__syncwarp\(\);", ";"),
    (r"cp_async_commit\(\);", ";"),
    (r"cp_async_wait<kStages - 2>", "cp_async_wait<kStages - 1>"),
    (r"cp_async_wait<0>", "cp_async_wait<1>"),
    (r" < ", " <= "),
    (r" <= ", " < "),
    (r" >= ", " > "),
    (r" == ", " != "),
    (r" \+ ", " - "),
    (r" - ", " + "),
    (r" \* ", " + "),
    (r" / ", " * "),
    (r" % ", " / "),
    (r" && ", " || "),
    (r"\+= ", "-= "),
    (r"\bwarp_sum\b", "warp_max"),
    (r"\bfmaxf\b", "fminf"),
    (r"\bmin\(", "max("),
    (r"(?<=[ (])0(?=[;,)])", "1"),
    (r"(?<=[ (])1(?=[;,) ])", "2"),
    (r"\? (\S+) : ", r"? -\1 : "),
]
SKIPPED = re.compile(r"^\s*(//|#|static_assert|template|using|namespace|enum|struct|inline constexpr|constexpr int)")

# Which tests notice a change in a file, by words of its name; the first that fits. All cases otherwise.
ALL_CASES = ["tests/cuda/test_cases.py", "tests/cuda/test_fp8.py"]
KV_FP8 = "tests/kernels/test_kv_fp8.py"
TESTS = {
    "finish_rows": ["tests/cuda/test_cublaslt.py"],
    "e4m3": ["tests/cuda/test_fp8.py"],
    "conv": ["tests/cuda/test_cases.py", "-k", "conv2d"],
    "gemm": [*ALL_CASES, "-k", "linear or matmul or conv2d or fp8"],
    "ring": ["tests/cuda/test_cases.py", KV_FP8, "-k", "ring_attention and not test_cpu"],
    "attention": ["tests/cuda/test_cases.py", KV_FP8, "-k", "attention and not test_cpu"],
    "pointwise": ["tests/cuda/test_cases.py", "-k", "pointwise"],
    "group_norm": ["tests/cuda/test_cases.py", "-k", "group_norm"],
    "row_norm": [*ALL_CASES, "-k", "norm or calibrated"],
    "randn": ["tests/cuda/test_cases.py", "-k", "randn"],
    "reduce": ["tests/cuda/test_cases.py", "-k", "reduce or mean"],
    "softmax": ["tests/cuda/test_cases.py", "-k", "softmax"],
    "strided": ["tests/cuda/test_cases.py", "-k", "copy or concat or gather or pad or linear"],
}


@dataclass(frozen=True)
class Mutant:
    """One changed place of a file."""

    path: Path  # relative to the checkout
    line: int
    column: int
    old: str
    new: str

    def applied_to(self, text: str) -> str:
        lines = text.splitlines(keepends=True)
        before, after = lines[self.line][: self.column], lines[self.line][self.column + len(self.old) :]
        lines[self.line] = before + self.new + after
        return "".join(lines)

    def __str__(self) -> str:
        place = f"{self.path.relative_to(KERNELS)}:{self.line + 1}:{self.column + 1}"
        return f"{place} [{self.old.strip()} -> {self.new.strip() or 'nothing'}]"


def mutants_of(path: Path) -> Iterator[Mutant]:
    for number, line in enumerate((ROOT / path).read_text().splitlines()):
        code = line.split("//")[0]
        if SKIPPED.match(line) or not code.strip():
            continue
        for pattern, replacement in RULES:
            for match in re.finditer(pattern, code):
                yield Mutant(path, number, match.start(), match[0], match.expand(replacement))


def tests_for(path: Path) -> list[str]:
    return next((tests for word, tests in TESTS.items() if word in path.as_posix().split("kernels/")[1]), ALL_CASES)


def seconds_unchanged(bench: Workbench, tests: list[str]) -> float:
    """How long the tests take on the unchanged sources, which must pass them."""
    start = time.monotonic()
    run = bench.pytest(*tests)
    assert run.returncode == 0, f"the unchanged sources fail {tests}:\n{run.stdout[-3000:]}"
    return time.monotonic() - start


def verdict(bench: Workbench, mutant: Mutant, seconds: float) -> str:
    """What happens to a mutant: "no build", "killed: ..." or "SURVIVED"."""
    target = bench.tree / mutant.path
    original = target.read_text()
    target.write_text(mutant.applied_to(original))
    try:
        if bench.build().returncode:
            return "no build"
        run = bench.pytest(*tests_for(mutant.path), timeout=seconds)
        if run.returncode == 0:
            return "SURVIVED"
        # A report of the simulator names its kind in the assertion; anything else is a wrong number or a crash.
        kind = re.search(r"assert \[\('([a-z-]+)'", run.stdout)
        return f"killed: {kind[1] if kind else 'crash' if run.returncode < 0 else 'wrong result'}"
    except subprocess.TimeoutExpired:
        return "killed: hangs"
    finally:
        target.write_text(original)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--limit", type=int, default=0, help="try so many, picked at random (0: all)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="files whose path holds this word")
    parser.add_argument("--json", type=Path, default=ROOT / "build/mutate-cuda.json")
    arguments = parser.parse_args()
    files = sorted(p.relative_to(ROOT) for p in (ROOT / KERNELS).rglob("*.cu*") if arguments.only in p.as_posix())
    mutants = [m for path in files for m in mutants_of(path)]
    if arguments.limit:
        mutants = random.Random(arguments.seed).sample(mutants, min(arguments.limit, len(mutants)))
    bench = Workbench("mutate", changes=True)
    bench.refresh()
    assert bench.build().returncode == 0, "the unchanged sources do not build"
    unchanged: dict[tuple[str, ...], float] = {}
    found: dict[str, str] = {}
    killed = survived = 0
    for mutant in mutants:
        tests = tests_for(mutant.path)
        if tuple(tests) not in unchanged:
            assert bench.build().returncode == 0, "the sources, changed back, do not build"
            unchanged[tuple(tests)] = seconds_unchanged(bench, tests)
        found[str(mutant)] = verdict(bench, mutant, 30 + 2 * unchanged[tuple(tests)])
        print(f"{mutant} {found[str(mutant)]}", flush=True)
        killed = sum(v.startswith("killed") for v in found.values())
        survived = sum(v == "SURVIVED" for v in found.values())
        score = {"killed": killed, "survived": survived, "seed": arguments.seed, "of": len(mutants), "mutants": found}
        arguments.json.write_text(json.dumps(score, indent=2) + "\n")
    print(f"{killed} of {killed + survived} killed, {len(found) - killed - survived} did not build")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
