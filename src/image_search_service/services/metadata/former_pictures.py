"""Regions that were measured in another picture: a file holds another photo and its sidecar stayed, or a
program cut a picture and kept its metadata whole.

Such a region is believed where the face at its place looks like the one that the name was read for before.
How large a picture is written to be cannot tell: a part of the same proportions fits as well.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from image_search_service.core.names import clean_name
from image_search_service.db.queries import said_in_files
from image_search_service.db.queries.metadata.photo_names import PlacedFace
from image_search_service.db.queries.said_in_files import NamedElsewhere, Seen
from image_search_service.db.session import Session
from image_search_service.media.regions import NamedRegion
from image_search_service.services.metadata.region_faces import best_match
from image_search_service.services.metadata.sources import FileNames, PhotoNames


class Comparer(Protocol):
    """Compares faces: ``services/indexing/drawing.py``."""

    def alike(self, pairs: Sequence[tuple[uuid.UUID, uuid.UUID]]) -> list[bool]:
        """Of each pair of points in Qdrant whether they may be one person's; one fetch."""


@dataclass(frozen=True, slots=True)
class DoubtfulName:
    """A name of a region, which was read for faces of other photos before. point_id: of the face at its
    place; None where none is. others: the points of those faces."""

    photo: PhotoNames
    region: NamedRegion
    point_id: uuid.UUID | None
    others: Sequence[uuid.UUID]


@dataclass(frozen=True, slots=True)
class _NewName:
    """A name that the face at its region's place has in no file yet. is_first: whether nothing was read of
    the file for this photo."""

    photo: PhotoNames
    source: FileNames
    region: NamedRegion
    point_id: uuid.UUID | None
    is_first: bool

    @property
    def places(self) -> list[tuple[Path | str, str]]:
        """Where the name may have been read for another photo: by state of metadata or file, and key."""
        key = clean_name(self.region.name)[1]
        by_file = [(self.source.path, key)] if self.is_first and self.source.is_of_photo else []
        return [(self.source.state, key), *by_file]


def doubtful_names(
    session: Session,
    page: Sequence[PhotoNames],
    faces: Mapping[uuid.UUID, Sequence[PlacedFace]],
    seen: Seen,
) -> list[DoubtfulName]:
    """The names that the same metadata, or the same file, had for faces of other photos: at most two
    statements for each 500 photos, none where nothing is new."""
    new = [name for names in page for name in _new_names(names, faces.get(names.photo.asset_id, []), seen)]
    if not new:
        return []
    elsewhere: dict[tuple[Path | str, str], list[NamedElsewhere]] = defaultdict(list)
    sources = [name.source for name in new]
    for known in said_in_files.named_elsewhere(
        session, [source.path for source in sources], [source.state for source in sources]
    ):
        elsewhere[known.state, known.key].append(known)
        elsewhere[known.path, known.key].append(known)
    doubtful = []
    for name in new:
        same = [known for place in name.places for known in elsewhere.get(place, ())]
        others = {known.point_id for known in same if known.asset_id != name.photo.photo.asset_id}
        if others:
            doubtful.append(DoubtfulName(name.photo, name.region, name.point_id, sorted(others)))
    return doubtful


def _new_names(names: PhotoNames, faces: Sequence[PlacedFace], seen: Seen) -> list[_NewName]:
    source = names.source
    if source is None:
        return []
    is_first = all(source.path not in seen.get(face.id, {}) for face in faces)
    number, pairs = best_match(source.readings, faces)
    face_of = {id(region): face for region, face in pairs}
    new = []
    for region in source.readings[number]:
        key, face = clean_name(region.name)[1], face_of.get(id(region))
        if face is None or all(name.key != key for name in seen.get(face.id, {}).values()):
            new.append(_NewName(names, source, region, None if face is None else face.point_id, is_first))
    return new


def leave_out_former(
    page: Sequence[PhotoNames], doubtful: Sequence[DoubtfulName], comparer: Comparer
) -> None:
    """Take the regions out that show nobody of that name: one fetch for all."""
    pairs = [(name.point_id, other) for name in doubtful if name.point_id for other in name.others]
    is_alike = dict(zip(pairs, comparer.alike(pairs), strict=True))
    former: dict[int, list[NamedRegion]] = {}
    for name in doubtful:
        if not any(is_alike.get((name.point_id, other)) for other in name.others if name.point_id):
            former.setdefault(id(name.photo), []).append(name.region)
    for names in page:
        if names.source is not None and id(names) in former:
            _leave_out(names, names.source, former[id(names)])


def _leave_out(names: PhotoNames, source: FileNames, former: Sequence[NamedRegion]) -> None:
    """What is left is read as it was matched."""
    ids = {id(region) for region in former}
    reading = next(each for each in source.readings if any(id(region) in ids for region in each))
    kept = [region for region in reading if id(region) not in ids]
    names.files[-1] = replace(source, readings=[kept])
    for region in former:
        said = (
            f"{source.path}: {region.name} was read there of another picture; nobody of it is at that place."
        )
        names.outdated[said] = 1
