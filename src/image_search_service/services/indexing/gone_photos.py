"""Finds what photos whose files are gone were made into: files that were moved, renamed or swapped and also
changed between two runs, converted to another format, or saved elsewhere in place of the original.

Which photos are compared at all is told by embeddings; ``same_faces.py`` then compares the pictures.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from image_search_service.core.files import has_vanished
from image_search_service.core.parallel import chunks
from image_search_service.core.records.photos import AbsentState
from image_search_service.core.types import FloatArray
from image_search_service.db.queries import absent_folders, faces, gone_photos
from image_search_service.db.queries.faces import LocatedFace
from image_search_service.db.session import Session
from image_search_service.library.stores import Stores
from image_search_service.vector.batching import FETCH_BATCH, EmbeddingBatch

FACES = 10_000
"""Faces of gone photos that are looked for at once."""
PHOTOS = 500
"""New photos whose faces are compared with them at once."""
NEAREST = 8
"""Of each face of a gone photo so many of the most similar new faces count."""
CANDIDATES = 4
"""New photos that are compared with a gone one: the pictures of more are not looked at."""

Places = np.ndarray[tuple[int, ...], np.dtype[np.int64]]
"""Numbers of photos."""


def photos_gone(
    session: Session, roots: Sequence[Path], run: int, changed: Mapping[Path, uuid.UUID]
) -> dict[uuid.UUID, list[Path]]:
    """The photos of which a human said something and which no file holds any more, though one did below
    ``roots``; each with its files that are gone.

    changed: the files that held another photo, with the one that they hold now; those are not gone. What was
    in a folder that is away may come back, and is not gone either.
    """
    states = absent_folders.absent_states(session)
    away = [folder for folder, state in states.items() if state is AbsentState.AWAY]
    held = set(changed.values())
    unheld: dict[uuid.UUID, list[Path]] = {}
    for place in gone_photos.places_of_unseen(session, roots, run):
        if place.path in changed:
            unheld.setdefault(place.asset_id, [])
        elif not place.is_seen and has_vanished(place.path) and not _is_below(place.path, away):
            unheld.setdefault(place.asset_id, []).append(place.path)
        else:
            held.add(place.asset_id)
    return {photo: paths for photo, paths in unheld.items() if photo not in held}


def _is_below(path: Path, folders: Sequence[Path]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)


class SuccessorSearch:
    """Looks among new photos for those that show faces of gone ones. Raises UnavailableError."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores

    def candidates(
        self, wanted: Mapping[uuid.UUID, Sequence[LocatedFace]]
    ) -> list[tuple[uuid.UUID, uuid.UUID]]:
        """Pairs of a gone photo and a new one, at most ``CANDIDATES`` for each gone one, the likeliest first.

        wanted: faces of gone photos. For each ``FACES`` of them a fetch, and for each ``PHOTOS`` new photos a
        statement and a fetch.
        """
        looked_for = [(photo, face) for photo, of_photo in wanted.items() for face in of_photo]
        if not looked_for:
            return []
        with self._stores.database.read() as session:
            new = gone_photos.new_photos(session)
        if not new:
            return []
        shared: dict[uuid.UUID, dict[uuid.UUID, float]] = defaultdict(lambda: defaultdict(float))
        for part in chunks(looked_for, FACES):
            for former, present, similarity in self._nearest(part, new):
                shared[former][present] += similarity
        return [
            (former, present)
            for former, presents in shared.items()
            for present in sorted(presents, key=lambda id_: -presents[id_])[:CANDIDATES]
            if present != former
        ]

    def _nearest(
        self, looked_for: Sequence[tuple[uuid.UUID, LocatedFace]], new: Sequence[uuid.UUID]
    ) -> list[tuple[uuid.UUID, uuid.UUID, float]]:
        """For each of these faces the new photos with the most similar faces, if they may be one person's."""
        known = self._fetch([face.point_id for _, face in looked_for])
        looked_for = [(photo, face) for photo, face in looked_for if face.point_id in known]
        if not looked_for:
            return []
        rows = np.array([known[face.point_id] for _, face in looked_for], dtype=np.float32)
        best = np.full((len(rows), NEAREST), -1.0, np.float32)
        whose: Places = np.full((len(rows), NEAREST), -1, np.int64)
        for first, photos in zip(range(0, len(new), PHOTOS), chunks(new, PHOTOS), strict=True):
            similarity, photo_of = self._compare(rows, photos)
            best, whose = _merged(best, whose, similarity, photo_of + first)
        threshold = self._stores.thresholds.same_person
        return [
            (looked_for[row][0], new[whose[row, column]], float(best[row, column]))
            for row, column in np.argwhere(best >= threshold)
        ]

    def _compare(self, rows: FloatArray, photos: Sequence[uuid.UUID]) -> tuple[FloatArray, Places]:
        """Similarity of each row to each face of these photos, and the position of each face's photo."""
        with self._stores.database.read() as session:
            located = faces.located_faces(session, photos)
        place = {photo: number for number, photo in enumerate(photos)}
        every = [(place[photo], face) for photo, of_photo in located.items() for face in of_photo]
        found = self._fetch([face.point_id for _, face in every])
        every = [(photo, face) for photo, face in every if face.point_id in found]
        matrix = np.array([found[face.point_id] for _, face in every], np.float32).reshape(-1, rows.shape[1])
        return rows @ matrix.T, np.array([photo for photo, _ in every], np.int64)

    def _fetch(self, point_ids: Sequence[uuid.UUID]) -> EmbeddingBatch:
        return self._stores.faces.get_embeddings_by_point_ids(point_ids, FETCH_BATCH)


def _merged(
    best: FloatArray, whose: Places, similarity: FloatArray, photo_of: Places
) -> tuple[FloatArray, Places]:
    """The greatest ``NEAREST`` of each row of both, and what they are of."""
    values = np.hstack([best, similarity])
    of = np.hstack([whose, np.broadcast_to(photo_of, similarity.shape)])
    order = np.argpartition(-values, NEAREST - 1, axis=1)[:, :NEAREST]
    return np.take_along_axis(values, order, axis=1), np.take_along_axis(of, order, axis=1)
