"""A second library of the same photos, and what humans said in either."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update

from image_search_service.core.types import Box
from image_search_service.db.models import (
    AssetPath,
    FaceInstance,
    FaceSuggestion,
    ImageAsset,
    PersonPrototype,
    PersonRow,
)
from image_search_service.db.queries import library as library_queries
from image_search_service.db.session import Database, sqlite_url
from image_search_service.recognition.engines.synthetic import SyntheticEngine
from image_search_service.services.decisions.history import HistoryService
from image_search_service.services.exchange.service import ExchangeService
from tests.support.world import World, forget_decisions, migrated_database


@contextmanager
def other_engine(origin: Database, folder: Path) -> Iterator[Database]:
    """The same photos in another library, of whose faces nothing was said, found a little to the left."""
    folder.mkdir()
    with closing(sqlite3.connect(str(origin.url.database))) as source:
        source.execute("VACUUM INTO ?", (str(folder / "library.sqlite3"),))
    database = Database(sqlite_url(folder / "library.sqlite3"))
    with database.write() as session:
        forget_decisions(session)
        for table in (FaceSuggestion, PersonPrototype):
            session.execute(delete(table))
        session.execute(
            update(FaceInstance).values(
                person_id=None, assigned_by=None, is_face=True, box_x=FaceInstance.box_x - 3
            )
        )
        session.execute(delete(PersonRow))
    yield database
    database.close()


def said(database: Database) -> Any:
    """What humans said, by photo and name, without ids."""
    lines = [json.loads(line) for line in ExchangeService(database, "test").export()]
    names = {line["id"]: line["name"] for line in lines if line["kind"] == "person"}
    people = [
        {key: line[key] for key in ("name", "hidden", "birth_date", "note")}
        for line in lines
        if line["kind"] == "person" and line["gone"] is False
    ]
    faces = {
        line["photo"]: (
            names.get(line["person"]),
            line["is_face"],
            [names[one] for one in line["rejected_for"]],
            [names[one] for one in line["pinned_for"]],
        )
        for line in lines
        if line["kind"] == "face"
    }
    return people, {photo: what for photo, what in faces.items() if what != (None, True, [], [])}


def people_of(database: Database) -> list[PersonRow]:
    with database.read() as session:
        return list(session.scalars(select(PersonRow).where(~PersonRow.deleted)))


def history(database: Database) -> list[tuple[str, str, Any, bool, int]]:
    return [
        (
            event.decision.kind,
            event.decision.actor,
            event.decision.at,
            event.decision.undoes is not None,
            event.changes,
        )
        for event in HistoryService(database).page(limit=200)
    ]


def untold(line: str) -> Any:
    """A line without ids of faces and boxes, which differ between libraries."""
    document = json.loads(line)
    for key in ("box", "cover") + (("id",) if document["kind"] == "face" else ()):
        document.pop(key, None)
    if document["kind"] == "decision":
        del document["id"], document["undoes"], document["details"]
        document["changes"] = sorted(str(change[0]) for change in document["changes"])
    return json.dumps(document, sort_keys=True)


def faces_at(database: Database, paths: list[str]) -> list[UUID]:
    with database.read() as session:
        found = {
            str(path): face
            for path, face in session.execute(
                select(AssetPath.path, FaceInstance.id).join(
                    FaceInstance, FaceInstance.asset_id == AssetPath.asset_id
                )
            )
        }
    return [found[path] for path in paths]


@contextmanager
def new_faces(origin: Database, folder: Path) -> Iterator[Database]:
    """The same photos in a library that found their faces itself: other ids, boxes a little to the left."""
    folder.mkdir()
    database = migrated_database(folder)
    with origin.read() as old, database.write() as session:
        library_queries.bind_engine(session, SyntheticEngine.identity, {})
        world = World(session)
        rows = old.execute(
            select(ImageAsset.content_hash, AssetPath.path, FaceInstance)
            .join(AssetPath, AssetPath.asset_id == ImageAsset.id)
            .join(FaceInstance, FaceInstance.asset_id == ImageAsset.id)
        )
        for content_hash, path, face in rows:
            photo = world.photo(str(path))
            photo.content_hash = content_hash
            world.face(photo, box=Box(face.box_x - 2, face.box_y, face.box_width, face.box_height))
    yield database
    database.close()
