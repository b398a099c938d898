"""A large library, made up and written in bulk: rows of every table that pages read, and embeddings."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import insert

from image_search_service.core.decisions import Fact
from image_search_service.core.types import FloatArray
from image_search_service.db.models import (
    AssetPath,
    ClusterRow,
    DecisionChange,
    DecisionRow,
    FaceInstance,
    FaceSuggestion,
    ImageAsset,
    PersonRow,
)
from image_search_service.db.queries import library as library_queries
from image_search_service.library.opening import Library
from image_search_service.recognition.engines.synthetic import SyntheticEngine
from image_search_service.services.centroid_service import CentroidService
from image_search_service.vector.collections import FacePayload, FacePoint

NAMED, GROUPED = 0.7, 0.2
"""Shares of the faces that have a person, and that are in an unnamed cluster; the others are alone."""
SUGGESTED = 0.1
"""For so many of the unnamed faces, in shares of all faces, a suggestion waits."""
FIRST_DAY = datetime(1995, 1, 1)  # noqa: DTZ001 - as cameras write it
DAYS = 11_000
UNDATED = 0.05
"""Photos without a date."""
FAILED = 50
DECISIONS, FACTS = 2_000, 20
SPREAD = 0.6
Owner = tuple[uuid.UUID | None, uuid.UUID | None]
"""A face's person and cluster."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large a library is made."""

    faces: int
    photos: int
    people: int


def make_library(library: Library, sizes: Sizes) -> None:
    """Fill an empty library of the synthetic engine."""
    chance = random.Random(1)  # noqa: S311 - the same library each time
    photos = [uuid.UUID(int=chance.getrandbits(128)) for _ in range(sizes.photos)]
    faces = [uuid.UUID(int=chance.getrandbits(128)) for _ in range(sizes.faces)]
    persons = [uuid.UUID(int=chance.getrandbits(128)) for _ in range(sizes.people)]
    owners = _owners(chance, len(faces), persons)
    taken = {one: _taken(chance) for one in photos}
    rows = _face_rows(chance, faces, photos, taken, owners)
    with library.database.write() as session:
        library_queries.bind_engine(session, SyntheticEngine.identity, {})
        run, _ = library_queries.start_run(session, [Path("/photos")])
        connection = session.connection()
        connection.execute(insert(ImageAsset), [_photo_row(one, taken[one]) for one in photos])
        connection.execute(insert(ImageAsset), [_failed_row(chance) for _ in range(FAILED)])
        connection.execute(insert(AssetPath), list(_path_rows(photos, run)))
        connection.execute(insert(PersonRow), [_person_row(one, n) for n, one in enumerate(persons)])
        connection.execute(insert(ClusterRow), _cluster_rows(rows))
        connection.execute(insert(FaceInstance), rows)
        connection.execute(insert(FaceSuggestion), _suggestion_rows(chance, rows, persons, sizes.faces))
        _decide(connection, chance, faces, persons)
        unnamed = sum(person is None for person, _ in owners)
        library_queries.set_full_grouping(session, {}, unnamed)
        library_queries.set_grouped(session)
    library.faces.upsert_faces(_points(rows))
    CentroidService(library.stores).compute_centroids()


def _owners(chance: random.Random, faces: int, persons: Sequence[uuid.UUID]) -> list[Owner]:
    """Person and cluster of each face: people as large as one over their rank, at least two faces each."""
    named, grouped = int(NAMED * faces), int(GROUPED * faces)
    weights = [1 / (rank + 1) for rank in range(len(persons))]
    extra = chance.choices(persons, weights, k=max(0, named - 2 * len(persons)))
    every: list[Owner] = [(one, None) for one in [*persons, *persons, *extra]]
    while grouped > 0:
        size = min(grouped, 2 + int(chance.expovariate(0.15)))
        cluster = uuid.UUID(int=chance.getrandbits(128))
        every += [(None, cluster)] * size
        grouped -= size
    every += [(None, None)] * (faces - len(every))
    chance.shuffle(every)
    return every[:faces]


def _taken(chance: random.Random) -> datetime | None:
    if chance.random() < UNDATED:
        return None
    return FIRST_DAY + timedelta(days=chance.randrange(DAYS), seconds=chance.randrange(86_400))


def _photo_row(photo: uuid.UUID, taken: datetime | None) -> dict[str, Any]:
    size = {"width": 4_000, "height": 3_000, "format": "JPEG"}
    return {"id": photo, "content_hash": photo.hex * 2, "taken_at": taken, **size}


def _failed_row(chance: random.Random) -> dict[str, Any]:
    one = uuid.UUID(int=chance.getrandbits(128))
    return {"id": one, "content_hash": one.hex * 2, "failure": "The file is damaged."}


def _path_rows(photos: Sequence[uuid.UUID], run: int) -> Iterator[dict[str, Any]]:
    for number, photo in enumerate(photos):
        path = Path(f"/photos/{1995 + number % 30}/{number % 12:02}/IMG_{number:06}.jpg")
        yield {"path": path, "asset_id": photo, "size": 1, "modified_ns": 1, "seen_in_run": run}


def _person_row(person: uuid.UUID, number: int) -> dict[str, Any]:
    name = f"Person {number:05}"
    return {"id": person, "name": name, "name_key": name.casefold(), "hidden": number % 50 == 49}


def _face_rows(
    chance: random.Random,
    faces: Sequence[uuid.UUID],
    photos: Sequence[uuid.UUID],
    taken: dict[uuid.UUID, datetime | None],
    owners: Sequence[Owner],
) -> list[dict[str, Any]]:
    box = {"box_x": 100, "box_y": 100, "box_width": 200, "box_height": 240}
    marks = [[110.5, 120.5], [180.5, 120.5], [150.5, 160.5], [120.5, 200.5], [170.5, 200.5]]
    parts = {"sharpness": 0.8, "size": 0.9, "pose": 0.7}
    positions: dict[uuid.UUID, int] = {}
    rows = []
    for face, (person, cluster) in zip(faces, owners, strict=True):
        photo = chance.choice(photos)
        positions[photo] = positions.get(photo, -1) + 1
        rows.append(
            {
                "id": face, "qdrant_point_id": face, "asset_id": photo, "position": positions[photo],
                "taken_at": taken[photo], "person_id": person, "cluster_id": cluster, "grouped": True,
                "assigned_by": None if person is None else chance.choice(("human", "machine")),
                "landmarks": marks, "detection_confidence": 0.9, "quality_score": chance.random(),
                "quality_parts": parts, **box,
            }
        )  # fmt: skip
    return rows


def _cluster_rows(faces: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    members: dict[uuid.UUID, list[uuid.UUID]] = {}
    for face in faces:
        if face["cluster_id"] is not None:
            members.setdefault(face["cluster_id"], []).append(face["id"])
    return [
        {"id": cluster, "size": len(own), "confidence": 0.6, "representative_face_id": own[0]}
        for cluster, own in members.items()
    ]


def _suggestion_rows(
    chance: random.Random, faces: Sequence[dict[str, Any]], persons: Sequence[uuid.UUID], number: int
) -> list[dict[str, Any]]:
    unnamed = [face["id"] for face in faces if face["person_id"] is None]
    some = chance.sample(unnamed, min(len(unnamed), int(SUGGESTED * number)))
    weights = [1 / (rank + 1) for rank in range(len(persons))]
    whose = chance.choices(persons, weights, k=len(some))
    return [
        {
            "face_instance_id": face, "person_id": person, "state": "pending", "confidence": 0.5,
            "source": "centroid", "evidence": [], "margin": chance.random() / 4,
        }
        for face, person in zip(some, whose, strict=True)
    ]  # fmt: skip


def _decide(
    connection: Any, chance: random.Random, faces: Sequence[uuid.UUID], persons: Sequence[uuid.UUID]
) -> None:
    """Decisions as they are kept: each gave some faces to a person."""
    whose = chance.choices(persons, k=DECISIONS)
    details = [{"faces": FACTS, "persons": [str(one)]} for one in whose]
    rows = [
        {"id": number + 1, "kind": "name_cluster", "actor": "benchmark", "details": each}
        for number, each in enumerate(details)
    ]
    connection.execute(insert(DecisionRow), rows)
    facts = [
        {
            "decision_id": number + 1, "fact": Fact.FACE_PERSON.value, "subject_id": face, "old": None,
            "new": str(person),
        }
        for number, person in enumerate(whose)
        for face in chance.sample(faces, FACTS)
    ]  # fmt: skip
    connection.execute(insert(DecisionChange), facts)


def _points(rows: Sequence[dict[str, Any]]) -> Iterator[FacePoint]:
    """Embeddings about a random direction for each person and cluster; of the others, about nothing."""
    generator = np.random.default_rng(2)
    looks: dict[uuid.UUID | None, FloatArray] = {}
    for row in rows:
        owner = row["person_id"] or row["cluster_id"]
        look = looks.setdefault(owner, _direction(generator)) if owner else _direction(generator)
        embedding = look + SPREAD * _direction(generator)
        embedding = (embedding / np.linalg.norm(embedding)).astype(np.float32)
        payload = FacePayload(row["id"], row["asset_id"], row["person_id"], row["cluster_id"])
        yield FacePoint(row["id"], embedding, payload)


def _direction(generator: np.random.Generator) -> FloatArray:
    numbers = generator.standard_normal(SyntheticEngine.identity.dimension).astype(np.float32)
    unit: FloatArray = numbers / np.linalg.norm(numbers)
    return unit
