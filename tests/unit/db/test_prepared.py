"""Statements that are built once: lists of few lengths, and faces that are given by id."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select, update

from image_search_service.db.models import FaceInstance
from image_search_service.db.queries import face_moves, grouping, payloads, prepared
from image_search_service.db.queries.batches import BATCH
from image_search_service.db.session import Database
from tests.support.databases import DATABASES, open_database
from tests.support.world import World

FACES = 40
_OF_THESE = select(FaceInstance.id).where(prepared.among(FaceInstance.id)).order_by(FaceInstance.id)
STATEMENTS = {"sqlite": 8, "postgresql": 1}


@contextmanager
def executed(database: Database) -> Iterator[list[tuple[str, Any]]]:
    """Each statement, with its parameters; of one that is executed many times its first."""
    seen: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, _: Any, many: bool) -> None:
        seen.append((statement, parameters[0] if many else parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


def fill(database: Database) -> list[uuid.UUID]:
    """Faces without a person, of one cluster; their ids, ascending."""
    with database.write() as session:
        world = World(session)
        photo = world.photo("a.jpg")
        faces = [world.face(photo, number) for number in range(FACES)]
        world.cluster(faces)
        return sorted(face.id for face in faces)


@pytest.mark.parametrize("name", DATABASES)
def test_lists_have_few_lengths(name: str, tmp_path: Path) -> None:
    """About 0 to 40 faces there are eight statements on SQLite, one on PostgreSQL; each face is found."""
    with open_database(name, tmp_path) as database:
        ids = fill(database)
        with executed(database) as seen, database.read() as session:
            for number in range(FACES + 1):
                found = prepared.run(session, _OF_THESE, {"ids": ids[:number]}).scalars()
                assert list(found) == ids[:number]
        selects = {statement for statement, _ in seen if statement.startswith("SELECT face_instances")}
        assert len(selects) == STATEMENTS[name]


def test_faces_that_are_given_are_looked_up(tmp_path: Path) -> None:
    """SQLite does not go through all faces without a person for a batch of them, whatever is done to it."""
    with open_database("sqlite", tmp_path) as database:
        ids = fill(database)
        with executed(database) as seen, database.write() as session:
            face_moves.set_clusters(session, dict.fromkeys(ids))
            face_moves.put_back(session, dict.fromkeys(ids))
            grouping.groupable_among(session, ids)
            payloads.mark_payloads_sent(session, payloads.due_payloads(session, BATCH))
        with database.engine.connect() as connection:
            plans = {
                statement: [
                    row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given)
                ]
                for statement, given in seen
                if "face_instances.id" in statement and " IN " in statement
            }
        assert len(plans) == 4
        for statement, steps in plans.items():
            of_faces = [step for step in steps if "face_instances" in step]
            assert of_faces, statement
            assert all("(id=?" in step for step in of_faces), (statement, steps)


@pytest.mark.parametrize("name", DATABASES)
def test_what_changed_while_it_was_sent_stays_due(name: str, tmp_path: Path) -> None:
    """Faces of any number of versions are marked by one statement; one with a newer version is not."""
    with open_database(name, tmp_path) as database:
        ids = fill(database)
        with database.write() as session:
            for number, face in enumerate(ids):
                session.execute(
                    update(FaceInstance).where(FaceInstance.id == face).values(payload_version=number + 1)
                )
        with database.write() as session:
            due = payloads.due_payloads(session, BATCH)
            face_moves.set_clusters(session, {ids[3]: None})
            with executed(database) as seen:
                payloads.mark_payloads_sent(session, due)
            assert len(seen) == 1
            assert [left.id for left in payloads.due_payloads(session, BATCH)] == [ids[3]]
