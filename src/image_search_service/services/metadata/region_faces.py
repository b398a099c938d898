"""Matches regions of photos' metadata with faces, and computes the edits that update the regions."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence, Set as AbstractSet
from dataclasses import dataclass, field
from typing import TypeVar

from image_search_service.core.names import clean_name, is_name, name_key
from image_search_service.core.types import Box
from image_search_service.db.queries.metadata.photo_names import PlacedFace
from image_search_service.media import regions
from image_search_service.media.region_dialects import DIALECTS
from image_search_service.media.regions import FaceRegion, Frame, NamedRegion, Reading
from image_search_service.media.xmp import Element
from image_search_service.recognition.boxes import overlap

LEAST_OVERLAP = 0.25
"""Minimum intersection over union of a region and its face: other programs include hair and chin, which makes
a box of twice the size."""

T = TypeVar("T", NamedRegion, FaceRegion)


@dataclass(frozen=True, slots=True)
class LastSeen:
    """The key of the name that a file had for a face when it was last read or written. is_answered: whether
    nobody changed it before that, or somebody has said since, here, whose the face is."""

    key: str
    is_answered: bool

    def is_changed(self, key: str | None) -> bool:
        """Whether another program has changed the name to this one (None: to none), and nobody has answered
        that here."""
        return key != self.key or not self.is_answered


@dataclass(frozen=True, slots=True)
class Edit:
    """An edit of a packet's regions. reading: the interpretation of the existing regions.

    corrected: what another program has changed since, and is left. agreed: faces for which the packet has
    the library's name, or will have it. emptied: faces whose region is removed.
    """

    reading: Reading
    added: list[NamedRegion]
    renamed: list[tuple[FaceRegion, str]]
    removed: list[FaceRegion]
    corrected: list[str] = field(default_factory=list)
    agreed: set[uuid.UUID] = field(default_factory=set)
    emptied: set[uuid.UUID] = field(default_factory=set)

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
        (share, number, place)
        for number, region in enumerate(regions)
        for place, face in enumerate(faces)
        if (share := overlap(region.box, face.box)) >= LEAST_OVERLAP or _in_each_other(region.box, face.box)
    ]
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    for _, number, place in sorted(
        every, key=lambda overlap_pair: (-overlap_pair[0], overlap_pair[1], overlap_pair[2])
    ):
        if number not in pairs and place not in taken:
            pairs[number] = place
            taken.add(place)
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
    readings: Sequence[Reading],
    faces: Sequence[PlacedFace],
    wrong: Mapping[uuid.UUID, AbstractSet[str]],
    seen: Mapping[uuid.UUID, LastSeen],
) -> Edit:
    """The edit that makes the regions agree with the library.

    A region at a face's place gets the face's name and keeps its box; one with a name that is wrong for the
    face (``wrong``, name keys) is removed. What another program has changed since it was last ``seen`` stays.
    Only MWG regions are added.
    """
    number, matched = best_match([reading.faces for reading in readings], faces)
    edit = Edit(readings[number], [], [], [])
    others = [
        pair
        for dialect in DIALECTS
        for pair in match([region for region in edit.reading.others if region.dialect is dialect], faces)
    ]
    changed: set[uuid.UUID] = set()
    for region, face in [*matched, *others]:
        called = clean_name(region.name)[1] if is_name(region.name) else None
        last = seen.get(face.id)
        if face.name_to_write is None:
            if called in wrong.get(face.id, ()):
                edit.removed.append(region)
                edit.emptied.add(face.id)
        elif called == name_key(face.name_to_write):
            edit.agreed.add(face.id)
        elif last is not None and last.is_changed(called):
            changed.add(face.id)
            edit.corrected.append(f"{region.name or 'no name'} where this library has {face.name_to_write}")
        else:
            edit.agreed.add(face.id)
            edit.renamed.append((region, face.name_to_write))
    has_region = {face.id for _, face in matched}
    has_any = has_region | {face.id for _, face in others}
    for face in faces:
        if face.name_to_write is None or face.id in has_region | changed:
            continue
        if face.id in seen and face.id not in has_any:
            edit.corrected.append(f"no region where this library has {face.name_to_write}")
            continue
        edit.agreed.add(face.id)
        edit.added.append(NamedRegion(face.name_to_write, face.box))
    edit.agreed.difference_update(changed)
    return edit


def apply(edit: Edit, root: Element, frame: Frame) -> None:
    """Apply the edit. root: of the edit's packet. Raises MediaError for a packet without RDF."""
    for region, name in edit.renamed:
        regions.rename_region(region, name)
    for region in edit.removed:
        regions.remove_region(region)
    regions.add_regions(root, edit.added, frame, edit.reading.orientation)
