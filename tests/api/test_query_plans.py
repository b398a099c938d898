"""How SQLite answers the statements of pages: by indexes that limit what is read."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from image_search_service.db.models import FaceSuggestion
from tests.support.served import Served, add_faces, add_person, directions
from tests.support.world import World

Statement = tuple[str, Any]

PAGES = [
    "/library",
    "/persons/names",
    "/persons",
    "/persons?order=name",
    "/persons?order=newest",
    "/persons?order=waiting",
    "/persons/{person}",
    "/persons/{person}/faces",
    "/persons/{person}/faces?order=quality",
    "/persons/{person}/photos",
    "/persons/{person}/with",
    "/persons/{person}/suggestions",
    "/faces/clusters",
    "/faces/clusters/{cluster}",
    "/faces?state=alone",
    "/faces?state=not_a_face",
    "/assets",
    "/assets?person_id={person}",
    "/assets?unknown=true",
    "/assets/months",
    "/assets/folders",
    "/assets/{asset}/faces",
    "/photos/failed",
    "/suggestions",
    "/review/next",
    "/conflicts",
    "/decisions",
    "/jobs",
]
LIMITED = ("ix_face_instances_repeats", "ix_face_instances_no_face", "ix_face_instances_payload_due")
"""Partial indexes of few rows: going through one of them is no scan of the table."""
WHOLE = re.compile(r"^SCAN (face_instances|face_suggestions)(_\d+)?\b")
COUNTED = "SELECT count(*) AS count_1 \nFROM face_instances"
"""How lost embeddings are noticed before faces are compared: the one count of all faces, in an index."""
OK = 200
SIZES = (20, 120)
LARGEST = 10
"""Persons with more faces than the others."""
ALIKE = 1.3
"""Reading a page may cost so many times as much in a library of six times as many persons."""
NOT_GROWING = [
    "/persons?limit=5",
    "/persons?order=name&limit=5",
    "/persons/{person}",
    "/persons/{person}/faces?limit=5",
    "/faces/clusters?limit=5",
    "/assets?limit=5",
    "/assets?unknown=true&limit=5",
    "/conflicts?kind=far_from_the_others&limit=5",
    "/conflicts?kind=look_the_same&limit=5",
]


def fill(api: Served, persons: range) -> dict[str, str]:
    """Ids of a person, a photo and a cluster; each person has some faces, and one is suggested."""
    with api.library.database.write() as session:
        world = World(session)
        for number in persons:
            person = add_person(world, f"Ada {number:03}")
            faces = 4 if number < LARGEST else 3
            shown = add_faces(api.library, world, directions(faces, seed=number), person_id=person.id)
            others = add_faces(api.library, world, directions(3, seed=1_000 + number))
            cluster = world.cluster(others[:2])
            session.add(
                FaceSuggestion(
                    face_instance_id=others[2].id, person_id=person.id, state="pending", confidence=0.5,
                    source="prototype", evidence=[],
                )
            )  # fmt: skip
        return {"person": str(person.id), "asset": str(shown[0].asset_id), "cluster": str(cluster.id)}


@contextmanager
def statements_of(api: Served) -> Iterator[list[Statement]]:
    """Every statement that reads, with its parameters."""
    seen: list[Statement] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith(("SELECT", "WITH")):
            seen.append((statement, parameters))

    engine = api.library.database.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


def ask(api: Served, route: str, ids: dict[str, str]) -> None:
    assert api.client.get(f"/api/v1{route.format(**ids)}").status_code == OK


def plan(connection: sqlite3.Connection, statement: Statement) -> list[str]:
    rows = connection.execute(f"EXPLAIN QUERY PLAN {statement[0]}", statement[1])
    return [row[3] for row in rows]


def steps(connection: sqlite3.Connection, statement: Statement) -> int:
    """How many steps SQLite's machine takes for it, in tens."""
    taken = 0

    def count() -> int:
        nonlocal taken
        taken += 1
        return 0

    connection.set_progress_handler(count, 10)
    connection.execute(*statement).fetchall()
    connection.set_progress_handler(None, 0)
    return taken


@contextmanager
def opened(api: Served) -> Iterator[sqlite3.Connection]:
    path = api.library.database.url.database
    assert path is not None
    connection = sqlite3.connect(path)
    try:
        yield connection
    finally:
        connection.close()


def test_no_page_reads_all_faces_or_suggestions(api: Served) -> None:
    """No statement of a page goes through the table of faces or of suggestions, or a whole index of it."""
    ids = fill(api, range(3))
    found = []
    for route in PAGES:
        with statements_of(api) as statements:
            ask(api, route, ids)
        with opened(api) as connection:
            found += [
                (route, step, statement[0])
                for statement in statements
                for step in plan(connection, statement)
                if WHOLE.match(step) and not step.endswith(LIMITED) and statement[0] != COUNTED
            ]
    assert found == []


def test_a_page_of_a_large_library_is_read_as_fast(api: Served) -> None:
    """What a page shows costs SQLite as many steps with six times as many persons, groups and photos; only
    how many there are is counted."""
    costs: dict[str, list[int]] = {}
    for first, last in ((0, SIZES[0]), SIZES):
        ids = fill(api, range(first, last))
        for route in NOT_GROWING:
            with statements_of(api) as statements:
                ask(api, route, ids)
            with opened(api) as connection:
                shown = [each for each in statements if not each[0].startswith("SELECT count(")]
                cost = sum(steps(connection, each) for each in shown)
            costs.setdefault(route, []).append(cost)
    assert [(route, cost) for route, cost in costs.items() if cost[1] > ALIKE * cost[0] + 10] == []
