"""Runs code on hostile input in a process of its own, with bounds on processor time and memory.

Neither depends on the clock or on what else the machine does: a process that exceeds them is ended by the
system, and what it was at is the last line that it printed. Cases come one after the other, so that each has
the bound on memory for itself; of processor time all have a bound together, and each has its own.
"""

from __future__ import annotations

import json
import resource
import runpy
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from image_search_service.core.types import JsonObject

ROOT = Path(__file__).parents[2]


def run_bounded(module: str, *args: str | Path, seconds: int, memory: int) -> list[str]:
    """The lines that ``tests.hostile.MODULE`` prints. seconds: of processor time, for all that it does.
    memory: address space, in bytes."""
    command = [sys.executable, "-m", "tests.hostile.bounded", str(seconds), str(memory), module]
    ran = subprocess.run([*command, *map(str, args)], cwd=ROOT, capture_output=True, text=True, check=False)
    lines = ran.stdout.splitlines()
    assert ran.returncode == 0, f"ended with {ran.returncode} at {lines[-1:]}: {ran.stderr[-2_000:]}"
    return lines


def index_bounded(folder: Path, *, seconds: int, memory: int) -> JsonObject:
    """What indexing a folder of hostile files into a library of its own reports; the doctor finds nothing."""
    lines = run_bounded("index_files", folder, folder.with_name("library"), seconds=seconds, memory=memory)
    assert json.loads(lines[-1]) == {}
    report: JsonObject = json.loads(lines[-2])
    return report


@contextmanager
def bounded_here(*, seconds: float, memory: int) -> Iterator[None]:
    """The same bounds for a block in this process, where a case is too short for one of its own: seconds of
    processor time, and bytes of address space beyond what there is."""

    def too_long(*_: object) -> None:
        raise AssertionError(f"It took more than {seconds} seconds of processor time.")

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    former = signal.signal(signal.SIGPROF, too_long)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + memory, hard))
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, former)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def begin_case(name: str, seconds: float) -> None:
    """Print which case begins. It ends the process if it takes more seconds of processor time than these; 0:
    it may take what is left."""
    print(name, flush=True)
    signal.setitimer(signal.ITIMER_PROF, seconds)


def _main(seconds: int, memory: int, module: str, *args: str) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    sys.argv = [module, *args]
    runpy.run_module(f"tests.hostile.{module}", run_name="__main__")


if __name__ == "__main__":
    _main(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])
