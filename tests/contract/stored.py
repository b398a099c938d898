"""What a library's stores hold, as sorted lines of text: two of them are compared with ``==``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select

from image_search_service.db.models import Base, ClusterRow, FaceInstance, PersonCentroid
from image_search_service.db.queries.suggestions.centroids import ACTIVE
from image_search_service.db.session import Database
from image_search_service.vector.centroid_qdrant import MARK_ID

ENGINE_PAGE = 10_000
DIARIES = {"jobs", "index_runs", "index_roots", "unread_files", "absent_folders", "store_marks"}
"""Tables that say what was tried, or who was there, not what there is."""
CHANCE = {
    "asset_paths.changed_ns",
    "asset_paths.id",
    "asset_paths.inode",
    "asset_paths.seen_in_run",
    "conflicts.id",
    "face_instances.payload_sent",
    "face_instances.payload_version",
    "face_suggestions.id",
    "grouping_proposals.changes",
    "grouping_proposals.clusters",
    "grouping_proposals.id",
    "grouping_proposals.moves",
    "library.groupings",
    "person_centroids.faces_version",
    "person_prototypes.id",
    "persons.faces_version",
}
"""Columns whose values depend on when, or on how often something was tried, or are or hold new ids."""


def everything(database: Database, engine: Any, collections: Iterable[str]) -> list[str]:
    """Every row but of diaries, and every point with its payload, to the last digit."""
    rows = [f"{table} {_json(row)}" for table, row in _rows(database)]
    return sorted([*rows, *_points(engine, collections)])


def content(database: Database, engine: Any, collections: Iterable[str]) -> list[str]:
    """The same by what it says: without moments, with names for random ids. A centroid that is not active,
    begun or replaced, is left out with its point: nobody sees it, and a later run clears it away."""
    names, unused = _names(database), _unused(database)
    rows = (f"{table} {_json(_lasting(table, row))}" for table, row in _rows(database))
    lines = [*rows, *_points(engine, collections)]
    return sorted(_renamed(line, names) for line in lines if not any(one in line for one in unused))


def _rows(database: Database) -> list[tuple[str, dict[str, Any]]]:
    with database.read() as session:
        return [
            (table.name, dict(row))
            for table in Base.metadata.sorted_tables
            if table.name not in DIARIES
            for row in session.execute(select(table)).mappings()
        ]


def _lasting(table: str, row: Mapping[str, Any]) -> dict[str, Any]:
    told = {"told": row["payload_version"] == row["payload_sent"]} if "payload_sent" in row else {}
    return told | {
        key: value
        for key, value in row.items()
        if f"{table}.{key}" not in CHANCE and not isinstance(value, datetime)
    }


def _points(engine: Any, collections: Iterable[str]) -> list[str]:
    return [
        f"{name} {point.id} {_json(point.payload)} {[round(float(x), 5) for x in point.vector]}"
        for name in collections
        if engine.collection_exists(name)
        for point in engine.scroll(name, limit=ENGINE_PAGE, with_payload=True, with_vectors=True)[0]
        if str(point.id) != str(MARK_ID)
    ]


def _names(database: Database) -> dict[str, str]:
    """For each random id that other rows refer to, what it stands for."""
    with database.read() as session:
        clusters = session.scalars(select(ClusterRow.id)).all()
        members = session.execute(
            select(FaceInstance.cluster_id, FaceInstance.id).order_by(FaceInstance.id.desc())
        )
        centroids = session.scalars(select(PersonCentroid)).all()
        first = dict(members.all())
        return {str(one): f"cluster of {first.get(one)}" for one in clusters} | {
            str(one.id): f"centroid of {one.person_id}" for one in centroids
        }


def _unused(database: Database) -> list[str]:
    with database.read() as session:
        return [
            str(one)
            for one in session.scalars(select(PersonCentroid.id).where(PersonCentroid.state != ACTIVE))
        ]


def _renamed(line: str, names: Mapping[str, str]) -> str:
    for old, new in names.items():
        line = line.replace(old, new)
    return line


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)
