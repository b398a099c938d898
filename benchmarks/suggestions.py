"""How many of the faces that are given or suggested to known people are really theirs.

    python -m benchmarks.suggestions FILE.npz --engine opencv

FILE.npz comes from ``benchmarks.faces_file``. Of every second person with four photos or more, half of the
photos have the name; the other half, everybody else and all faces behind the middle have none. In a library
of these faces the assigner and the three searches then do what they do for a user. A face behind the middle
counts as wrong: who it is in truth nobody has written down.
"""

from __future__ import annotations

import argparse
import tempfile
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import delete, insert, select

from benchmarks.faces_file import Faces
from benchmarks.report import machine, print_table
from image_search_service.core.config import Settings
from image_search_service.core.types import BoolArray, EngineIdentity, SearchMethod
from image_search_service.db.models import FaceInstance, FaceSuggestion, ImageAsset, PersonRow
from image_search_service.db.queries import library as library_queries
from image_search_service.faces.assigner import FaceAssigner
from image_search_service.library.engine import no_note, no_watch
from image_search_service.library.opening import Library, open_library
from image_search_service.recognition.engines.calibrated import MEASURED
from image_search_service.services.centroid_service import CentroidService
from image_search_service.services.suggestions.prototypes import PrototypeService
from image_search_service.services.suggestions.search import SuggestionService
from image_search_service.vector.collections import FacePayload, FacePoint

LEAST_PHOTOS = 4
COLUMNS = ("way", "given or suggested", "right", "share", "of the known people's faces")
NO_LIMIT = 10_000
"""Suggestions for each person."""


@dataclass(frozen=True, slots=True)
class Truth:
    """known: the persons with a name, by the number that the file has for them. owner: whose each face is in
    truth, if it is a known person's. unnamed: how many of these faces have no name yet."""

    known: dict[int, uuid.UUID]
    owner: dict[uuid.UUID, uuid.UUID]
    unnamed: int


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("--engine", required=True, choices=[*MEASURED])
    given = parser.parse_args()
    faces = Faces.read(given.file)
    print(machine())
    with tempfile.TemporaryDirectory() as folder, _library(Path(folder), given.engine, faces) as library:
        truth = _fill(library, faces, faces.recognizable(given.engine))
        rows = list(_rows(library, truth))
    title = (
        f"{given.engine}: {len(truth.known)} known people, {truth.unnamed:,} of their faces without the name"
    )
    print_table(title, COLUMNS, rows)


@contextmanager
def _library(folder: Path, engine: str, faces: Faces) -> Iterator[Library]:
    """An empty library bound to an engine of this name, with its measured thresholds."""
    with open_library(Settings(library=folder / "library", offline=True), no_note, no_watch) as library:
        with library.database.write() as session:
            identity = EngineIdentity(engine, "benchmark", faces.embeddings.shape[1])
            library_queries.bind_engine(session, identity, {})
        yield library


def _known_people(faces: Faces) -> list[int]:
    """Every second person with ``LEAST_PHOTOS`` or more."""
    people, counts = np.unique(faces.people[faces.middle], return_counts=True)
    many: list[int] = people[counts >= LEAST_PHOTOS].tolist()
    return many[::2]


def _fill(library: Library, faces: Faces, recognizable: BoolArray) -> Truth:
    """Store all faces, every second one of a known person with the name."""
    known = {person: uuid.uuid4() for person in _known_people(faces)}
    photos = {photo: uuid.uuid4() for photo in np.unique(faces.photos).tolist()}
    seen: Counter[int] = Counter()
    owner: dict[uuid.UUID, uuid.UUID] = {}
    rows: list[dict[str, Any]] = []
    for number, (photo, person) in enumerate(zip(faces.photos.tolist(), faces.people.tolist(), strict=True)):
        face = uuid.uuid4()
        named = known.get(person) if seen[person] % 2 == 0 else None
        seen[person] += 1
        if person in known:
            owner[face] = known[person]
        rows.append(
            _face_row(face, photos[photo], number)
            | _named(named)
            | {"recognizable": bool(recognizable[number])}
        )
    with library.database.write() as session:
        session.execute(insert(ImageAsset), [_photo_row(photo) for photo in photos.values()])
        session.execute(insert(PersonRow), [_person_row(one, f"Person {n}") for n, one in known.items()])
        session.execute(insert(FaceInstance), rows)
    library.faces.upsert_faces(
        [
            FacePoint(row["id"], embedding, FacePayload(row["id"], row["asset_id"], row["person_id"]))
            for row, embedding in zip(rows, faces.embeddings, strict=True)
        ]
    )
    named_faces = sum(row["person_id"] is not None for row in rows)
    return Truth(known, owner, len(owner) - named_faces)


def _face_row(face: uuid.UUID, photo: uuid.UUID, position: int) -> dict[str, Any]:
    return {
        "id": face, "qdrant_point_id": face, "asset_id": photo, "position": position,
        "box_x": 40, "box_y": 40, "box_width": 60, "box_height": 70, "landmarks": [[50.0, 60.0]] * 5,
        "detection_confidence": 0.9, "quality_score": 0.8, "quality_parts": {},
    }  # fmt: skip


def _named(person: uuid.UUID | None) -> dict[str, Any]:
    return {"person_id": person, "assigned_by": None if person is None else "human"}


def _photo_row(photo: uuid.UUID) -> dict[str, Any]:
    return {"id": photo, "content_hash": photo.hex * 2, "width": 150, "height": 150, "format": "JPEG"}


def _person_row(person: uuid.UUID, name: str) -> dict[str, Any]:
    return {"id": person, "name": name, "name_key": name.casefold()}


def _rows(library: Library, truth: Truth) -> Iterator[tuple[str, ...]]:
    """What each search suggests, and then what the assigner gives and suggests."""
    persons = list(truth.known.values())
    PrototypeService(library.stores).compute_prototypes()
    for method in SearchMethod:
        SuggestionService(library.stores).find_more_by(method, persons, limit=NO_LIMIT)
        yield _row(f"suggested by {method.value}", _suggested(library), truth)
        with library.database.write() as session:
            session.execute(delete(FaceSuggestion))
    FaceAssigner(library.stores, CentroidService(library.stores)).assign_new_faces()
    yield _row("given by the assigner", _assigned(library), truth)
    yield _row("suggested by the assigner", _suggested(library), truth)


def _suggested(library: Library) -> Sequence[tuple[uuid.UUID, uuid.UUID]]:
    with library.database.read() as session:
        pairs = session.execute(select(FaceSuggestion.face_instance_id, FaceSuggestion.person_id))
        return [(face, person) for face, person in pairs]


def _assigned(library: Library) -> Sequence[tuple[uuid.UUID, uuid.UUID]]:
    with library.database.read() as session:
        pairs = session.execute(
            select(FaceInstance.id, FaceInstance.person_id).where(FaceInstance.assigned_by == "machine")
        )
        return [(face, person) for face, person in pairs if person is not None]


def _row(way: str, pairs: Sequence[tuple[uuid.UUID, uuid.UUID]], truth: Truth) -> tuple[str, ...]:
    right = sum(truth.owner.get(face) == person for face, person in pairs)
    share = f"{right / len(pairs):.3f}" if pairs else "–"
    return way, f"{len(pairs):,}", f"{right:,}", share, f"{right / truth.unnamed:.3f}"


if __name__ == "__main__":
    main()
