"""Everything that a library says of its faces and people at one moment, and what must always hold of it.

Read with plain SQL in a few milliseconds, so that it can be looked at after every step of a random sequence.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from image_search_service.db.session import Database

Rows = list[tuple[Any, ...]]
QUERIES = {
    "faces": "SELECT id, person_id, assigned_by, cluster_id, group_id, is_face, asset_id FROM face_instances",
    "suggestions": "SELECT face_instance_id, person_id, state, id FROM face_suggestions",
    "pins": "SELECT person_id, face_instance_id FROM person_prototypes WHERE pinned",
    "sides": "SELECT difference_id, face_instance_id, side FROM face_differences",
    "different": "SELECT person_id, other_id FROM person_differences",
    "persons": "SELECT id, name, gone, merged_into, hidden, birth_date, cover_face_id FROM persons",
    "clusters": "SELECT id, size FROM clusters",
    "decisions": "SELECT id, kind FROM decisions ORDER BY id",
}


def uid(value: str) -> uuid.UUID:
    """An id as SQLite keeps it."""
    return uuid.UUID(value)


@dataclass(frozen=True, slots=True)
class Told:
    """The tables' rows, by the names of ``QUERIES``; ids as SQLite keeps them."""

    rows: Mapping[str, Rows]

    @classmethod
    def by(cls, database: Database) -> Told:
        with database.engine.connect() as connection:
            found = {name: connection.execute(text(query)).all() for name, query in QUERIES.items()}
        return cls({name: [tuple(row) for row in rows] for name, rows in found.items()})

    @property
    def last_decision(self) -> int:
        return self.rows["decisions"][-1][0] if self.rows["decisions"] else 0

    @property
    def persons(self) -> list[uuid.UUID]:
        """Those who are there."""
        return sorted(uid(row[0]) for row in self.rows["persons"] if not row[2])

    @property
    def clusters(self) -> list[uuid.UUID]:
        return sorted(uid(row[0]) for row in self.rows["clusters"])

    @property
    def pending(self) -> list[uuid.UUID]:
        """Suggestions that wait."""
        return sorted(uid(row[3]) for row in self.rows["suggestions"] if row[2] == "pending")

    def said(self) -> dict[str, Any]:
        """What a human has said, and nothing that a job may change."""
        faces = self.rows["faces"]
        return {
            "owner": {face: person for face, person, by, *_ in faces if by == "human"},
            "group": {row[0]: row[4] for row in faces if row[4] is not None},
            "no_face": {row[0] for row in faces if not row[5]},
            "rejected": {row[:2] for row in self.rows["suggestions"] if row[2] == "rejected"},
            "pins": set(self.rows["pins"]),
            "sides": set(self.rows["sides"]),
            "different": set(self.rows["different"]),
            "persons": {row for row in self.rows["persons"] if not row[2] or row[3]},
        }

    def wrong(self) -> list[str]:
        """What must never be, in words; empty if all is well."""
        return [
            name
            for name, found in {
                "somebody who is gone has a face": self._faces_of_nobody(),
                "somebody who is gone is suggested": self._suggestions_of_nobody(),
                "a rejected pair is back": self._rejected_and_back(),
                "what is no face is placed": self._placed_no_faces(),
                "a named face is in a cluster": self._named_in_cluster(),
                "a face is not where a human put it": self._astray(),
                "a cluster has another size": self._miscounted(),
                "faces that are different are together": self._joined(),
                "persons who are different are one": self._merged(),
            }.items()
            if found
        ]

    def _faces_of_nobody(self) -> Any:
        gone = {row[0] for row in self.rows["persons"] if row[2]}
        return [row for row in self.rows["faces"] if row[1] in gone]

    def _suggestions_of_nobody(self) -> Any:
        """Those of persons who were merged may wait for the merge to be undone; nobody is shown them."""
        nobody = {row[0] for row in self.rows["persons"] if row[2] and not row[3]}
        return [row for row in self.rows["suggestions"] if row[2] == "accepted" and row[1] in nobody]

    def _rejected_and_back(self) -> Any:
        rejected = {row[:2] for row in self.rows["suggestions"] if row[2] == "rejected"}
        waiting = {row[:2] for row in self.rows["suggestions"] if row[2] == "pending"}
        return rejected & (waiting | {row[:2] for row in self.rows["faces"]})

    def _placed_no_faces(self) -> Any:
        return [row for row in self.rows["faces"] if not row[5] and (row[3] or row[4] or row[2] == "human")]

    def _named_in_cluster(self) -> Any:
        return [row for row in self.rows["faces"] if row[1] and (row[3] or row[4])]

    def _astray(self) -> Any:
        return [row for row in self.rows["faces"] if row[4] is not None and row[3] != row[4]]

    def _miscounted(self) -> Any:
        sizes = Counter(row[3] for row in self.rows["faces"] if row[3] is not None)
        return dict(sizes) != dict(self.rows["clusters"])

    def _joined(self) -> Any:
        """Faces of both sides in one cluster, of one person, or one of them suggested for the other's."""
        of = {row[0]: row for row in self.rows["faces"]}
        waiting = {row[:2] for row in self.rows["suggestions"] if row[2] == "pending"}
        places: dict[Any, set[int]] = {}
        for difference, face, side in self.rows["sides"]:
            _, person, _, cluster, *_ = of[face]
            for place in (person, cluster):
                if place is not None:
                    places.setdefault((difference, place), set()).add(side)
        both = [place for place, sides in places.items() if len(sides) > 1]
        suggested = [
            face
            for difference, face, side in self.rows["sides"]
            for suggested, person in waiting
            if suggested == face and 1 - side in places.get((difference, person), set())
        ]
        return both + suggested

    def _merged(self) -> Any:
        into = {row[0]: row[3] for row in self.rows["persons"] if row[3]}

        def final(person: str) -> str:
            while person in into:
                person = into[person]
            return person

        return [pair for pair in self.rows["different"] if final(pair[0]) == final(pair[1])]
