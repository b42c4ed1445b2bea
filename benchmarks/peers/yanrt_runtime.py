"""yanrt itself: the program run on a runner whose state holds what the peers get as inputs."""

from typing import Any

from numpy.typing import NDArray

from yanrt.engine import Engine

from .inputs import ports, set_state
from .runtimes import Job


class YanrtRuntime:
    def __init__(self, job: Job) -> None:
        runner = Engine(job.module.package, precision=job.precision, threads=job.threads).runner()
        self.inputs = ports(job.module, job.arrays)
        set_state(runner, job.module, job.arrays)
        described = job.module.package.manifest["programs"][job.program]
        self.program = runner.program(job.program)
        results = self.program(*self.inputs)
        self.first = dict(zip((port["name"] for port in described["outputs"]), results, strict=True))

    def run(self) -> None:
        self.program(*self.inputs)

    def outputs(self) -> dict[str, NDArray[Any]]:
        return self.first
