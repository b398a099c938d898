"""Runs code on hostile input in a process of its own, with bounds on processor time and memory.

Neither depends on the clock or on what else the machine does: a process that exceeds them is ended by the
system, and what it was at is the last line that it printed.
"""

from __future__ import annotations

import resource
import runpy
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run_bounded(module: str, *args: str | Path, seconds: int, memory: int) -> list[str]:
    """The lines that ``tests.hostile.MODULE`` prints. seconds: of processor time, for all that it does.
    memory: address space, in bytes."""
    command = [sys.executable, "-m", "tests.hostile.bounded", str(seconds), str(memory), module]
    ran = subprocess.run([*command, *map(str, args)], cwd=ROOT, capture_output=True, text=True, check=False)
    lines = ran.stdout.splitlines()
    assert ran.returncode == 0, f"ended with {ran.returncode} at {lines[-1:]}: {ran.stderr[-2_000:]}"
    return lines


def _main(seconds: int, memory: int, module: str, *args: str) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    sys.argv = [module, *args]
    runpy.run_module(f"tests.hostile.{module}", run_name="__main__")


if __name__ == "__main__":
    _main(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])
