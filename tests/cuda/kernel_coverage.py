"""How many lines of the CUDA kernels the tests run in the simulator.

    python -m tests.cuda.kernel_coverage [--minimum 95]        or: make coverage-cuda

A build with gcov counters in the kernel sources, the tests of tests/cuda, and a table: a line counts as run if any
instance of it (a template has several) ran.
"""

import argparse
import gzip
import json
import subprocess
from collections import defaultdict

from tests.cuda.workbench import Workbench

DEFAULT_TESTS = [
    *(f"tests/cuda/test_{name}.py" for name in ("cases", "fp8", "cublaslt")),
    "tests/kernels/test_kv_fp8.py::test_cuda_matches_reference",
]


def executed_lines(bench: Workbench) -> dict[str, dict[int, int]]:
    """File of the kernels -> line -> how often it ran."""
    counts: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for data in bench.build_folder.rglob("*.cu.gcda"):
        subprocess.run(["gcov", "--json-format", data.name], cwd=data.parent, check=True, capture_output=True)
        for report in data.parent.glob("*.gcov.json.gz"):
            for file in json.loads(gzip.decompress(report.read_bytes()))["files"]:
                if "backends/cuda/kernels/" in file["file"] or "backends/cuda/device/" in file["file"]:
                    name = file["file"].split("backends/cuda/")[1]
                    for line in file["lines"]:
                        counts[name][line["line_number"]] += line["count"]
            report.unlink()
    return counts


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minimum", type=float, default=95.0, help="percent; below it the exit status is 1")
    parser.add_argument("tests", nargs="*", default=DEFAULT_TESTS)
    arguments = parser.parse_args()
    bench = Workbench("coverage", "-DYANRT_SIM_COVERAGE=ON")
    bench.refresh()
    built = bench.build()
    assert built.returncode == 0, built.stdout[-3000:]
    for data in bench.build_folder.rglob("*.gcda"):
        data.unlink()
    run = bench.pytest(*arguments.tests)
    print(run.stdout.splitlines()[-1])
    counts = executed_lines(bench)
    run_lines = lines = 0
    for name in sorted(counts):
        hit = sum(n > 0 for n in counts[name].values())
        missed = [str(line) for line, n in sorted(counts[name].items()) if n == 0]
        run_lines, lines = run_lines + hit, lines + len(counts[name])
        print(f"{name:<48}{hit:>5} of {len(counts[name]):>4}  {'missed: ' + ', '.join(missed) if missed else ''}")
    percent = 100 * run_lines / max(lines, 1)
    print(f"{run_lines} of {lines} lines, {percent:.1f} %")
    return int(run.returncode != 0 or percent < arguments.minimum)


if __name__ == "__main__":
    raise SystemExit(main())
