"""What new photos cost SQLite does not follow from what the library has: how the statements of a run find
their rows."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select

from image_search_service.db.models import AssetPath, utc_now
from image_search_service.db.queries import library as library_queries
from image_search_service.faces import grouper
from image_search_service.library.engine import no_watch
from image_search_service.library.opening import Library
from image_search_service.services.indexing.pipeline import index_photos
from tests.support.served import add_faces, add_person, directions
from tests.support.world import World

BIG = "face_instances|image_assets|asset_paths|face_suggestions"
ALL_ROWS = re.compile(rf"^SCAN ({BIG})\b(?!.* USING COVERING INDEX)")
FEW_ROWS = ("ix_face_instances_payload_due",)
ALL_UNNAMED = re.compile(r"^SEARCH face_instances USING INDEX \w+ \(person_id=\?\)")
"""By an index that has no more of what is asked for than that a face has no person: each face is read."""
COUNTS = re.compile(r"^SELECT (\(SELECT )?count\(")
"""Reads an index from end to end, and no row."""
FEW, MANY = 100, 1_200
AWAY = Path("/photos")
"""Where ``add_faces`` says that its photos are."""
STEPS = 10
ALIKE = 1.3
"""So many times the steps may be taken in a library of many times as many faces."""
MORE_STATEMENTS = 3
"""By which two runs differ, as their photos do."""


@dataclass(frozen=True)
class Done:
    """A statement, how SQLite finds its rows, and the steps that it took, in tens."""

    sql: str
    plan: list[str]
    steps: int


@contextmanager
def planned(library: Library) -> Iterator[list[Done]]:
    """Every statement that is executed in the block."""
    seen: list[Done] = []
    taken = 0

    def step() -> int:
        nonlocal taken
        taken += 1
        return 0

    def before(connection: Any, _cursor: Any, statement: str, parameters: Any, _: Any, many: bool) -> None:
        nonlocal taken
        raw = connection.connection.driver_connection
        first = parameters[0] if many else parameters
        plan = []
        if statement.startswith(("SELECT", "UPDATE", "DELETE", "INSERT", "WITH")):
            plan = [row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {statement}", first)]
        seen.append(Done(statement, plan, 0))
        raw.set_progress_handler(step, STEPS)
        taken = 0

    def after(connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        connection.connection.driver_connection.set_progress_handler(None, 0)
        seen[-1] = Done(statement, seen[-1].plan, taken)

    engine = library.database.engine
    event.listen(engine, "before_cursor_execute", before)
    event.listen(engine, "after_cursor_execute", after)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", before)
        event.remove(engine, "after_cursor_execute", after)


def fill(library: Library, faces: int) -> None:
    """Named and unnamed faces, which have been grouped, in photos of a folder that is away."""
    with library.database.write() as session:
        world = World(session)
        ada = add_person(world, "Ada")
        made = add_faces(library, world, directions(faces, seed=faces))
        for number, face in enumerate(made):
            face.person_id = ada.id if number % 3 else None
            face.grouped = True
        for path in session.scalars(select(AssetPath).where(AssetPath.seen_in_run == world.run)):
            path.missing_since = utc_now()
        library_queries.start_run(session, [AWAY])
        library_queries.finish_runs(session)


def run(library: Library, folder: Path) -> list[Done]:
    with planned(library) as statements:
        index_photos(library.stores, [folder], actor="test", watch=no_watch)
    return statements


@pytest.fixture
def folders(album: Path, opened: Library, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Some folders of photos, of which two are indexed and the first is away. New faces are put to what is
    there, however many they are."""
    monkeypatch.setattr(grouper, "GROWTH", 1_000)
    monkeypatch.setattr(grouper, "SEARCHED", 1)
    away, first, *others = sorted(path for path in album.iterdir() if path.is_dir())
    index_photos(opened.stores, [away, first], actor="test", watch=no_watch)
    fill(opened, FEW)
    shutil.rmtree(away)
    index_photos(opened.stores, [first], actor="test", watch=no_watch)
    return others


def test_no_statement_goes_through_what_is_there(opened: Library, folders: list[Path]) -> None:
    """A run over new photos reads no table from end to end, and not the rows of all faces without a name."""
    statements = run(opened, folders[0])
    assert any(each.sql.startswith("UPDATE asset_paths") for each in statements)
    found = [
        (each.sql, step)
        for each in statements
        for step in each.plan
        if (ALL_ROWS.match(step) and not step.endswith(FEW_ROWS)) or ALL_UNNAMED.match(step)
    ]
    assert found == []


def test_steps_follow_from_what_is_new(opened: Library, folders: list[Path]) -> None:
    """With many times as many faces, a run takes SQLite as many statements and steps, but for what counts."""
    taken = []
    for folder, more in ((folders[0], 0), (folders[1], MANY)):
        if more:
            fill(opened, more)
        done = [each for each in run(opened, folder) if not COUNTS.match(each.sql)]
        taken.append((len(done), sum(each.steps for each in done)))
    (few, few_steps), (many, many_steps) = taken
    assert abs(many - few) <= MORE_STATEMENTS
    assert many_steps <= ALIKE * few_steps
