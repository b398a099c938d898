"""Rows of a made-up library: who is on which photo, and what was decided. Pure functions of chance."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from image_search_service.core.decisions import Fact, NameOrigin, named_by
from image_search_service.core.errors import InvalidInputError
from image_search_service.core.types import IntArray

ROOT = Path("/made-up-photos")
NAMED, GROUPED = 0.7, 0.2
"""Shares of the faces that have a person, and that are in an unnamed cluster; the others are alone."""
SUGGESTED = 0.1
"""For so many of the unnamed faces, in shares of all faces, a suggestion waits."""
FIRST_DAY = datetime(1995, 1, 1)  # noqa: DTZ001 - as cameras write it
DAYS = 11_000
UNDATED = 0.05
"""Photos without a date."""
FAILED = 50
OTHERS_IN_CLUSTER = 6.7
"""Mean number of faces that an unnamed cluster has beyond two."""
_BOX = {"box_x": 100, "box_y": 100, "box_width": 200, "box_height": 240}
_LANDMARKS = [[110.5, 120.5], [180.5, 120.5], [150.5, 160.5], [120.5, 200.5], [170.5, 200.5]]
_QUALITY_PARTS = {"sharpness": 0.8, "size": 0.9, "pose": 0.7}

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class MadeSizes:
    """How large a library is made: each person has two faces or more, their numbers follow Zipf's law."""

    faces: int
    photos: int
    people: int

    def __post_init__(self) -> None:
        """Raises InvalidInputError for more people than faces can be named."""
        if 2 * self.people > NAMED * self.faces:
            raise InvalidInputError(
                f"{self.faces:,} faces are too few for {self.people:,} people.",
                hint=f"Each has two, and {NAMED:.0%} of the faces have a name: give fewer --people.",
            )

    @classmethod
    def for_faces(cls, faces: int, photos: int | None = None, people: int | None = None) -> MadeSizes:
        """Two faces a photo and twenty a person, where nothing else is said."""
        return cls(faces, photos or max(1, faces // 2), people or max(1, faces // 20))


class MadeRows:
    """All rows, the same for the same sizes.

    looks: (faces,) int64, whose face each is: persons, then unnamed clusters, then the faces alone.
    """

    def __init__(self, sizes: MadeSizes) -> None:
        self._chance = chance = random.Random(1)  # noqa: S311 - the same library each time
        self.sizes = sizes
        self.faces = _ids(chance, sizes.faces)
        self.persons = _ids(chance, sizes.people)
        self._photos = _ids(chance, sizes.photos)
        self._taken = [_taken(chance) for _ in self._photos]
        generator = np.random.default_rng(1)
        self.looks = _looks(generator, sizes.faces, sizes.people)
        alone = sizes.faces - int(NAMED * sizes.faces) - int(GROUPED * sizes.faces)
        self._clusters = _ids(chance, int(self.looks.max(initial=-1)) + 1 - alone - sizes.people)
        photo = generator.integers(sizes.photos, size=sizes.faces)
        self._photo_of, self._positions = photo, _positions(photo)

    def photos(self) -> Iterator[Row]:
        for photo, taken in zip(self._photos, self._taken, strict=True):
            size = {"width": 4_000, "height": 3_000, "format": "JPEG", "failure": None}
            yield {"id": photo, "content_hash": photo.hex * 2, "taken_at": taken, **size}
        for failed in _ids(self._chance, FAILED):
            size = {"width": None, "height": None, "format": None, "failure": "The file is damaged."}
            yield {"id": failed, "content_hash": failed.hex * 2, "taken_at": None, **size}

    def paths(self, run: int) -> Iterator[Row]:
        for number, photo in enumerate(self._photos):
            path = ROOT / f"{1995 + number % 30}/{number % 12:02}/IMG_{number:06}.jpg"
            yield {"path": path, "asset_id": photo, "size": 1, "modified_ns": 1, "seen_in_run": run}

    def people(self) -> Iterator[Row]:
        for number, person in enumerate(self.persons):
            name = f"Person {number:05}"
            yield {"id": person, "name": name, "name_key": name.casefold(), "hidden": number % 50 == 49}

    def clusters(self) -> Iterator[Row]:
        count, people = len(self._clusters), len(self.persons)
        of_cluster = np.flatnonzero((self.looks >= people) & (self.looks < people + count))
        numbers, first, sizes = np.unique(
            self.looks[of_cluster] - people, return_index=True, return_counts=True
        )
        for number, row, size in zip(numbers, of_cluster[first], sizes, strict=True):
            shown = {"representative_face_id": self.faces[row], "confidence": 0.6}
            yield {"id": self._clusters[number], "size": int(size), **shown}

    def instances(self) -> Iterator[Row]:
        """A row of each face, in the order of ``faces``."""
        chance = self._chance
        for face, look, photo, position in zip(
            self.faces, self.looks.tolist(), self._photo_of.tolist(), self._positions.tolist(), strict=True
        ):
            person, cluster = self.owner(look)
            is_named = person is not None and _is_by_human(face)
            yield {
                "id": face, "qdrant_point_id": face, "asset_id": self._photos[photo], "position": position,
                "taken_at": self._taken[photo], "person_id": person, "cluster_id": cluster,
                "grouped": True,
                "assigned_by": "human" if is_named else None if person is None else "machine",
                "name_origin": NameOrigin.HERE.value if is_named else None,
                "landmarks": _LANDMARKS, "detection_confidence": 0.9, "quality_score": chance.random(),
                "quality_parts": _QUALITY_PARTS, **_BOX,
            }  # fmt: skip

    def owner(self, look: int) -> tuple[uuid.UUID | None, uuid.UUID | None]:
        """Person and cluster of a face."""
        if look < (people := len(self.persons)):
            return self.persons[look], None
        cluster = look - people
        return None, self._clusters[cluster] if cluster < len(self._clusters) else None

    def suggestions(self) -> Iterator[Row]:
        unnamed = np.flatnonzero(self.looks >= len(self.persons)).tolist()
        some = self._chance.sample(unnamed, min(len(unnamed), int(SUGGESTED * len(self.faces))))
        weights = [1 / (rank + 1) for rank in range(len(self.persons))]
        for row, person in zip(some, self._chance.choices(self.persons, weights, k=len(some)), strict=True):
            yield {
                "face_instance_id": self.faces[row], "person_id": person, "state": "pending",
                "confidence": 0.5, "source": "centroid", "evidence": [], "margin": self._chance.random() / 4,
            }  # fmt: skip

    def decisions(self) -> tuple[list[Row], Iterator[Row]]:
        """Decisions as they are kept, one that named each person, and their changes."""
        made = [
            {
                "id": number, "kind": "name_clusters", "actor": "made up",
                "details": {"faces": int((self.looks == number - 1).sum()), "persons": [str(person)]},
            }
            for number, person in enumerate(self.persons, start=1)
        ]  # fmt: skip
        return made, self._changes()

    def _changes(self) -> Iterator[Row]:
        for number, person in enumerate(self.people(), start=1):
            facts = {Fact.PERSON_NAME: person["name"], Fact.PERSON_GONE: False}
            if person["hidden"]:
                facts[Fact.PERSON_HIDDEN] = True
            for fact, value in facts.items():
                yield _change(number, fact, person["id"], value)
        for face, look in zip(self.faces, self.looks.tolist(), strict=True):
            if look < len(self.persons) and _is_by_human(face):
                value = named_by(self.persons[look], NameOrigin.HERE)
                yield _change(look + 1, Fact.FACE_PERSON, face, value)


def _change(decision: int, fact: Fact, subject: uuid.UUID, value: Any) -> Row:
    return {
        "decision_id": decision, "fact": fact.value, "subject_id": subject, "old": None, "new": value
    }  # fmt: skip


def _is_by_human(face: uuid.UUID) -> bool:
    """Of a face with a person, half of which humans have named."""
    return face.int % 2 == 0


def _ids(chance: random.Random, count: int) -> list[uuid.UUID]:
    return [uuid.UUID(int=chance.getrandbits(128)) for _ in range(count)]


def _taken(chance: random.Random) -> datetime | None:
    if chance.random() < UNDATED:
        return None
    return FIRST_DAY + timedelta(days=chance.randrange(DAYS), seconds=chance.randrange(86_400))


def _looks(generator: np.random.Generator, faces: int, people: int) -> IntArray:
    """Persons as large as one over their rank, at least two faces each; then clusters; then faces alone."""
    named, grouped = int(NAMED * faces), int(GROUPED * faces)
    sure = np.repeat(np.arange(people), 2)[:named]
    weights = 1 / np.arange(1, people + 1)
    more = generator.choice(people, max(0, named - len(sure)), p=weights / weights.sum())
    sizes = 2 + generator.exponential(OTHERS_IN_CLUSTER, grouped).astype(np.int64)
    clusters = np.repeat(np.arange(grouped), sizes)[:grouped]
    number = int(clusters.max(initial=-1)) + 1
    alone = people + number + np.arange(faces - named - grouped)
    looks: IntArray = generator.permutation(np.concatenate([sure, more, people + clusters, alone]))
    return looks


def _positions(photos: IntArray) -> IntArray:
    """For each face how many faces before it are on its photo."""
    order = np.argsort(photos, kind="stable")
    first = np.searchsorted(photos[order], photos[order])
    positions = np.empty(len(photos), dtype=np.int64)
    positions[order] = np.arange(len(photos)) - first
    return positions
