"""Faces by hand of another library: no detector finds them here, so they are made of their boxes."""

from __future__ import annotations

from collections.abc import Iterable

from image_search_service.core.parallel import chunks
from image_search_service.core.types import Box
from image_search_service.db.queries import faces_with_decisions, photos
from image_search_service.db.queries.batches import BATCH
from image_search_service.db.session import Session
from image_search_service.recognition.boxes import SAME_PLACE, overlap
from image_search_service.services.exchange.lines import AnyLine, FaceLine
from image_search_service.services.metadata.undetected import UndetectedFace


def missing_here(session: Session, lines: Iterable[AnyLine]) -> list[UndetectedFace]:
    """Those whose photo is here, and in whose place there is no face: two statements for each ``BATCH``."""
    missing = []
    for part in chunks((line for line in lines if isinstance(line, FaceLine) and line.by_hand), BATCH):
        hashes = [line.photo for line in part]
        known = photos.assets_by_hash(session, hashes)
        faces = faces_with_decisions.faces_by_content(session, hashes)
        missing += [
            UndetectedFace(known[line.photo].asset_id, line.place)
            for line in part
            if line.photo in known
            and not _has_face(line.place, [box for _, box in faces.get(line.photo, [])])
        ]
    return missing


def _has_face(place: Box, boxes: Iterable[Box]) -> bool:
    return any(overlap(place, box) >= SAME_PLACE for box in boxes)
