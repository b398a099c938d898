"""Counts and states that are kept in columns, since lists would else count all faces for each page.

``KEPT`` has the one definition of each. Triggers (``triggers.py``) bring a column up to date in the
transaction that changes what it follows from, whoever changes it; the doctor compares all of them with their
definitions (``db/queries/kept.py``). With a person's number of faces goes ``faces_version``, by which
whatever was computed of their faces, in a table or in the memory of any process, is known to be old: the
library counts such changes, and each person has the number of their last one, so that an index finds who
changed since.
"""
# ruff: noqa: S608 - all of the SQL is written here

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class KeptColumn:
    """A column and the value that it must have: SQL over a row of its table, the same on every database."""

    table: str
    column: str
    value: str


FACES_OF_PERSON: Final = KeptColumn(
    "persons",
    "faces",
    "(SELECT count(*) FROM face_instances JOIN image_assets ON image_assets.id = face_instances.asset_id "
    "WHERE face_instances.person_id = persons.id AND NOT image_assets.replaced)",
)


def is_unknown(face: str) -> str:
    """Whether a face (a row of this name) still has to be named."""
    return f"{face}.person_id IS NULL AND {face}.is_face AND NOT {face}.set_aside"


def is_alone(face: str) -> str:
    """Whether it is one of these, and in no group."""
    return f"{is_unknown(face)} AND {face}.cluster_id IS NULL"


def is_listed(photo: str) -> str:
    """Whether a photo (a row of this name) can be read, and no edited version has replaced it."""
    return f"{photo}.failure IS NULL AND NOT {photo}.replaced"


def _shown_faces(condition: str) -> str:
    """How many faces the condition is true of, of photos that were not replaced."""
    return (
        "(SELECT count(*) FROM face_instances JOIN image_assets ON image_assets.id = face_instances.asset_id "
        f"WHERE {condition} AND NOT image_assets.replaced)"
    )


UNKNOWN_FACES: Final = KeptColumn(
    "image_assets",
    "unknown_faces",
    "(SELECT count(*) FROM face_instances WHERE face_instances.asset_id = image_assets.id "
    f"AND {is_unknown('face_instances')})",
)
# coalesce keeps SQLite from the indexes of persons: a photo has few faces, they have many.
REPEATS: Final = KeptColumn(
    "face_instances",
    "repeats",
    "EXISTS (SELECT 1 FROM face_instances AS other WHERE other.asset_id = face_instances.asset_id "
    "AND coalesce(other.person_id, NULL) = face_instances.person_id AND other.id < face_instances.id)",
)
ANSWERABLE: Final = KeptColumn(
    "face_suggestions",
    "answerable",
    "(face_suggestions.state = 'pending' AND EXISTS (SELECT 1 FROM face_instances AS face "
    "JOIN image_assets ON image_assets.id = face.asset_id WHERE face.id = face_suggestions.face_instance_id "
    f"AND {is_unknown('face')} AND NOT image_assets.replaced "
    "AND NOT EXISTS (SELECT 1 FROM face_instances AS other WHERE other.asset_id = face.asset_id "
    "AND coalesce(other.person_id, NULL) = face_suggestions.person_id)))",
)
WAITING: Final = KeptColumn(
    "persons",
    "waiting",
    "(SELECT count(*) FROM face_suggestions WHERE face_suggestions.person_id = persons.id "
    "AND face_suggestions.answerable)",
)
FACES_OF_LIBRARY: Final = KeptColumn("library", "faces", "(SELECT count(*) FROM face_instances)")
NAMED_OF_LIBRARY: Final = KeptColumn(
    "library", "named_faces", _shown_faces("face_instances.person_id IS NOT NULL")
)
ALONE_OF_LIBRARY: Final = KeptColumn("library", "alone_faces", _shown_faces(is_alone("face_instances")))
PHOTOS_OF_LIBRARY: Final = KeptColumn(
    "library", "photos", f"(SELECT count(*) FROM image_assets WHERE {is_listed('image_assets')})"
)
OF_LIBRARY: Final = (FACES_OF_LIBRARY, NAMED_OF_LIBRARY, ALONE_OF_LIBRARY, PHOTOS_OF_LIBRARY)
KEPT: Final = (FACES_OF_PERSON, UNKNOWN_FACES, REPEATS, ANSWERABLE, WAITING, *OF_LIBRARY)
"""Each after those that it follows from."""
FOLLOWED: Final = ("person_id", "is_face", "set_aside", "asset_id")
"""Columns of a face that kept columns follow from."""
COUNTED: Final = (*FOLLOWED, "cluster_id")
"""Those that the library's counts follow from."""
