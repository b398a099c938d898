"""Matches regions of photos' metadata with faces, and computes the edits that update the regions."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence, Set as AbstractSet
from dataclasses import dataclass
from typing import TypeVar

from image_search_service.core.names import clean_name, is_name
from image_search_service.core.types import Box
from image_search_service.db.queries.metadata.photo_names import PlacedFace
from image_search_service.media import regions
from image_search_service.media.regions import FaceRegion, Frame, NamedRegion, Reading
from image_search_service.recognition.boxes import overlap

LEAST_OVERLAP = 0.25
"""Minimum intersection over union of a region and its face: other programs include hair and chin, which makes
a box of twice the size."""

T = TypeVar("T", NamedRegion, FaceRegion)


@dataclass(frozen=True, slots=True)
class Edit:
    """An edit of a packet's regions. reading: the interpretation of the existing regions."""

    reading: Reading
    added: list[NamedRegion]
    renamed: list[tuple[FaceRegion, str]]
    removed: list[FaceRegion]

    def __bool__(self) -> bool:
        return bool(self.added or self.renamed or self.removed)

    def __str__(self) -> str:
        """``Ada is added, Grace is removed``"""
        added = [f"{region.name} is added" for region in self.added]
        renamed = [f"{region.name or 'a face'} becomes {name}" for region, name in self.renamed]
        removed = [f"{region.name} is removed" for region in self.removed]
        return ", ".join(dict.fromkeys(added + renamed + removed))


def match(regions: Sequence[T], faces: Sequence[PlacedFace]) -> list[tuple[T, PlacedFace]]:
    """Pairs of regions and faces, one to one, by decreasing overlap."""
    every = [
        (overlap(region.box, face.box), number, place)
        for number, region in enumerate(regions)
        for place, face in enumerate(faces)
        if overlap(region.box, face.box) >= LEAST_OVERLAP or _in_each_other(region.box, face.box)
    ]
    pairs: dict[int, int] = {}
    for _, number, place in sorted(
        every, key=lambda overlap_pair: (-overlap_pair[0], overlap_pair[1], overlap_pair[2])
    ):
        if number not in pairs and place not in pairs.values():
            pairs[number] = place
    return [(regions[number], faces[place]) for number, place in sorted(pairs.items())]


def best_match(
    readings: Sequence[Sequence[T]], faces: Sequence[PlacedFace]
) -> tuple[int, list[tuple[T, PlacedFace]]]:
    """The number of the reading that fits the faces best, the first of equals, and its matches."""
    every = [(number, match(regions, faces)) for number, regions in enumerate(readings)]

    def fit(numbered: tuple[int, list[tuple[T, PlacedFace]]]) -> tuple[int, float]:
        return len(numbered[1]), sum(overlap(region.box, face.box) for region, face in numbered[1])

    return max(every, key=fit)


def _in_each_other(a: Box, b: Box) -> bool:
    """Whether each box contains the other's centre, as a face and the head around it."""
    return a.holds(b.center) and b.holds(a.center)


def edit_of(
    readings: Sequence[Reading], faces: Sequence[PlacedFace], wrong: Mapping[uuid.UUID, AbstractSet[str]]
) -> Edit:
    """The edit that makes the regions agree with the library.

    A region at a face's place gets the face's name and keeps its box; one with a name that is wrong for the
    face (``wrong``, name keys) is removed. No Microsoft regions are added.
    """
    number, matched = best_match([reading.faces for reading in readings], faces)
    edit = Edit(readings[number], [], [], [])
    for region, face in [*matched, *match(edit.reading.microsoft, faces)]:
        called = clean_name(region.name)[1] if is_name(region.name) else None
        if face.name_to_write is None:
            if called in wrong.get(face.id, ()):
                edit.removed.append(region)
        elif called != clean_name(face.name_to_write)[1]:
            edit.renamed.append((region, face.name_to_write))
    has_one = {face.id for _, face in matched}
    edit.added.extend(
        NamedRegion(face.name_to_write, face.box)
        for face in faces
        if face.name_to_write is not None and face.id not in has_one
    )
    return edit


def apply(edit: Edit, root: regions.Element, frame: Frame) -> None:
    """Apply the edit. root: of the edit's packet. Raises MediaError for a packet without RDF."""
    for region, name in edit.renamed:
        regions.rename_region(region, name)
    for region in edit.removed:
        regions.remove_region(region)
    regions.add_regions(root, edit.added, frame, edit.reading.orientation)
