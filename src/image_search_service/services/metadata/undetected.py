"""Named regions where no face was found: each becomes a face by hand."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from image_search_service.core.types import Box
from image_search_service.db.queries.metadata.photo_names import PlacedFace
from image_search_service.db.session import Session
from image_search_service.media.regions import NamedRegion
from image_search_service.services.metadata.region_faces import best_match


@dataclass(frozen=True, slots=True)
class UndetectedFace:
    """A named region of a photo without a face. box: in shares of the upright photo."""

    asset_id: uuid.UUID
    box: Box


class Drawer(Protocol):
    """Makes faces of boxes: ``services/indexing/drawing.py``."""

    def draw_regions(self, regions: Sequence[UndetectedFace]) -> StoreDrawn:
        """Embed them; what cannot be read is left out. The answer stores their rows."""


class StoreDrawn(Protocol):
    def __call__(self, session: Session) -> list[uuid.UUID]:
        """Insert the rows, not yet as faces; returns the ids."""


def undetected(
    readings: Mapping[uuid.UUID, Sequence[Sequence[NamedRegion]]],
    faces: Mapping[uuid.UUID, Sequence[PlacedFace]],
) -> list[UndetectedFace]:
    """The named regions of each photo that match no face, in the reading that fits its faces best. A region
    around the middle of a face, or with its middle in one, is that face's and becomes none."""
    lacking = []
    for asset_id, of_photo in readings.items():
        there = faces.get(asset_id, [])
        number, matched = best_match(of_photo, there)
        regions = [region for region, _ in matched]
        lacking += [
            UndetectedFace(asset_id, region.box)
            for region in of_photo[number]
            if region not in regions and not any(_touches(region.box, face.box) for face in there)
        ]
    return lacking


def _touches(region: Box, face: Box) -> bool:
    return region.holds(face.center) or face.holds(region.center)
