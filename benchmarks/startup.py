"""How long a command takes that has next to nothing to do: what a user waits for before anything happens.

    python -m benchmarks.startup [--rounds 15]

Each command is a process of its own, started once before the measurement, so that files are in the system's
cache and compiled; where ``PYTHONDONTWRITEBYTECODE`` is set, Python compiles them every time, and it is
measured with that. ``python -c pass`` is what the interpreter itself takes.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import count, repeat
from pathlib import Path

from benchmarks.report import machine, print_table

HELP_GOAL = 0.35
SQL_GOAL = 0.7
"""Seconds that a command may take: one that shows a text, and one that reads SQL."""
PROGRAM = (sys.executable, "-m", "image_search_service")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15, help="How often each command is started.")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="image-search-bench-") as name:
        folder = Path(name)
        new_libraries = (_people(folder / f"new-{number}") for number in count())
        small = _people(_small_library(folder))
        rows = [
            _row("python -c pass", repeat((sys.executable, "-c", "pass")), rounds, None),
            _row("image-search --help", repeat((*PROGRAM, "--help")), rounds, HELP_GOAL),
            _row("image-search --version", repeat((*PROGRAM, "--version")), rounds, HELP_GOAL),
            _row("image-search people, which makes the library", new_libraries, rounds, SQL_GOAL),
            _row("image-search people, 120 faces, a person with a name", repeat(small), rounds, SQL_GOAL),
        ]
    compiled = "not cached" if sys.dont_write_bytecode else "cached"
    title = f"Start of a command, {rounds} times each; compiled modules are {compiled}. {machine()}"
    print_table(title, ("command", "median s", "fastest s", "processor s", "goal s"), rows)


def _people(library: Path) -> tuple[str, ...]:
    return (*PROGRAM, "people", "--library", str(library))


def _small_library(folder: Path) -> Path:
    """A library of drawn faces, of whom one person has a name."""
    photos, library = folder / "photos", folder / "small"
    at = ("--library", str(library))
    _run(*PROGRAM, "demo", str(photos), "--faces", "120", *at)
    _run(*PROGRAM, "index", str(photos), "--engine", "synthetic", *at)
    groups = json.loads(_run(*_people(library), "--json"))["clusters"]
    _run(*PROGRAM, "name", groups[0]["id"], "Ada", *at)
    return library


def _run(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _row(title: str, commands: Iterator[Sequence[str]], rounds: int, goal: float | None) -> tuple[str, ...]:
    _started(next(commands))
    taken, processor = zip(*(_started(next(commands)) for _ in range(rounds)), strict=True)
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
