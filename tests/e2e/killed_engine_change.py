"""A process that moves a library to another engine, and dies by SIGKILL at a given moment.

As ``killed_index``; standard input has a line ``LIBRARY<TAB>STEP`` for each run. What runs is the command
``image-search engine``, on drawn faces, which no second engine of the registry finds.
"""

from __future__ import annotations

from typing import Any

from typer.testing import CliRunner

from image_search_service.cli.app import app
from image_search_service.core.types import EngineIdentity
from image_search_service.recognition.engines import registry
from image_search_service.recognition.engines.base import FaceEngine
from image_search_service.recognition.engines.synthetic import SyntheticEngine
from image_search_service.services.engine_change import service
from tests.contract.engine_change.other_engine import OtherEngine
from tests.e2e.killed_index import answer, count_steps

NAME = "synthetic:other"


def open_engine(name: str, **_: Any) -> FaceEngine:
    """The engine of the drawn library, or the one that it is moved to."""
    return OtherEngine() if name == NAME else SyntheticEngine()


def change_engine(library: str, die_at: str) -> int:
    """Move the library once, or go on with it; the number of steps."""
    steps = count_steps(int(die_at))
    service.STORE_BATCH = 8  # type: ignore[attr-defined] # its own name for what it imports
    done = CliRunner().invoke(app, ["engine", NAME, "--library", library])
    if done.exit_code != 0:
        raise SystemExit(f"{done.output}{done.exception!r}")
    return steps.count


if __name__ == "__main__":
    OtherEngine.identity = EngineIdentity(NAME, OtherEngine.identity.checksum, OtherEngine.identity.dimension)
    registry.open_engine = open_engine
    answer(change_engine)
