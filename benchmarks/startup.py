"""From the start of a process to the first frame of a world, beyond what `import numpy` takes; and where it goes.

    python benchmarks/startup.py [doom] [--rounds 15] [--precision bf16] [--threads 2] [--json FILE]

Fresh processes take turns: one imports numpy, one plays. Both are timed from outside, from before the process exists to
the line it prints; files are in the page cache after the first round, which is not counted.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from yanrt.bench import machine, write_json  # noqa: E402

_NUMPY = "import numpy; print()"
_PLAY = """
import time
marks = [time.perf_counter()]
mark = lambda: marks.append(time.perf_counter())
import numpy; mark()
import yanrt, yanrt.package; mark()
package = yanrt.package.Package.open({model!r}); mark()
session = yanrt.Session(package, precision={precision!r}, threads={threads}); mark()
session.reset(); mark()
session.step(); mark()
print(*(1e3 * (b - a) for a, b in zip(marks, marks[1:])))
"""
_STAGES = ("import numpy", "import yanrt", "open package", "make session", "reset", "first step")


def main(argv: list[str] | None = None) -> int:
    arguments = _parser().parse_args(argv)
    play = _PLAY.format(model=arguments.model, precision=arguments.precision, threads=arguments.threads)
    rounds = [(_run(_NUMPY), _run(play)) for _ in range(arguments.rounds + 1)][1:]
    bare, whole = (np.array([pair[i][0] for pair in rounds]) for i in (0, 1))
    stages = np.array([[float(word) for word in pair[1][1].split()] for pair in rounds])
    result: dict[str, Any] = {
        "machine": machine(),
        "beyond_numpy_ms": _spread(whole - bare),
        "numpy_process_ms": _spread(bare),
        "first_frame_ms": _spread(whole),
        "stages_ms": {name: _spread(column) for name, column in zip(_STAGES, stages.T, strict=True)},
    }
    for name, row in {**result["stages_ms"], "process that imports numpy": result["numpy_process_ms"]}.items():
        print(f"  {name:<28}{row['median']:>9.1f}{row['p10']:>9.1f}{row['p90']:>9.1f}  ms (median, p10, p90)")
    beyond = result["beyond_numpy_ms"]
    print(f"first frame, beyond import numpy: {beyond['median']:.0f} ms ({beyond['p10']:.0f} to {beyond['p90']:.0f})")
    if arguments.json:
        write_json(arguments.json, result)
    return 0


def _run(code: str) -> tuple[float, str]:
    """Milliseconds from before the process exists to the line it prints, and that line."""
    began = time.perf_counter()
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        took = (time.perf_counter() - began) * 1e3
    if process.returncode or not line:
        raise SystemExit(f"the process failed with status {process.returncode}")
    return took, line


def _spread(values: Any) -> dict[str, float]:
    p10, median, p90 = (round(float(np.percentile(values, p)), 2) for p in (10, 50, 90))
    return {"median": median, "p10": p10, "p90": p90}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", default="doom", help="packaged world or path (doom)")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--json", metavar="FILE")
    return parser


if __name__ == "__main__":
    sys.exit(main())
