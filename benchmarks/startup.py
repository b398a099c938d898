"""How long a command takes that has next to nothing to do: what a user waits for before anything happens.

    python -m benchmarks.startup [--rounds 15]

Each command is a process of its own, started once before the measurement, so that files are in the system's
cache and compiled; where ``PYTHONDONTWRITEBYTECODE`` is set, Python compiles them every time, and it is
measured with that. ``python -c pass`` is what the interpreter itself takes.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.report import machine, print_table

GOALS = {"--help": 0.35, "--version": 0.35, "people": 0.7}
"""Seconds that a command may take."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15, help="How often each command is started.")
    rounds = parser.parse_args().rounds
    program = [sys.executable, "-m", "image_search_service"]
    with tempfile.TemporaryDirectory(prefix="image-search-bench-") as folder:
        library = str(Path(folder) / "library")
        rows = [_row("python -c pass", [sys.executable, "-c", "pass"], rounds, None)]
        for name, goal in GOALS.items():
            more = ["--library", library] if name == "people" else []
            rows.append(_row(f"image-search {name}", [*program, name, *more], rounds, goal))
    compiled = "not cached" if sys.dont_write_bytecode else "cached"
    title = f"Start of a command, {rounds} times each; compiled modules are {compiled}. {machine()}"
    print_table(title, ("command", "median s", "fastest s", "processor s", "goal s"), rows)


def _row(title: str, command: Sequence[str], rounds: int, goal: float | None) -> tuple[str, ...]:
    _started(command)
    taken, processor = zip(*(_started(command) for _ in range(rounds)), strict=True)
    return (
        title,
        f"{statistics.median(taken):.3f}",
        f"{min(taken):.3f}",
        f"{min(processor):.3f}",
        "" if goal is None else f"{goal:.2f}",
    )


def _started(command: Sequence[str]) -> tuple[float, float]:
    """Seconds until the command has ended, and seconds of processor time that it took."""
    before, started = os.times(), time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    taken, after = time.perf_counter() - started, os.times()
    processor = after.children_user + after.children_system - before.children_user - before.children_system
    return taken, processor


if __name__ == "__main__":
    main()
