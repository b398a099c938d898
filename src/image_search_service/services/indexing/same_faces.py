"""Finds a photo's faces again in what its file holds now.

Two things must say that a face is the same: its embedding, and the picture, in which it must lie where the
former picture lies in the present one (``media/same_picture.py``). So a file that now holds another photo, be
it of the same person, inherits nothing.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from image_search_service.core.parallel import chunks, map_ahead, thread_pool
from image_search_service.core.types import FloatArray
from image_search_service.db.queries import faces, faces_with_decisions, lost_faces, photos
from image_search_service.db.queries.faces import LocatedFace
from image_search_service.library.stores import Stores
from image_search_service.media.same_picture import Placement, find_placement
from image_search_service.recognition.boxes import SAME_FACE, overlap
from image_search_service.recognition.same_faces import pair_faces
from image_search_service.services.indexing.drawing import DrawnFaces
from image_search_service.services.indexing.gone_photos import SuccessorSearch
from image_search_service.services.indexing.moved_boxes import BoxMover, MovedBox, moved_boxes
from image_search_service.vector.batching import FETCH_BATCH, EmbeddingBatch

PAIRS = 200
"""Pairs of photos whose embeddings are in memory together."""


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """A file that held one photo and holds another one now."""

    path: Path
    former: uuid.UUID
    present: uuid.UUID


@dataclass(frozen=True, slots=True)
class SameFace:
    """A face of a former photo, and the same face in the present one. loss_id: of one lost before."""

    former: uuid.UUID
    present: uuid.UUID
    loss_id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class _PhotoPair:
    """Two photos, and the faces of the former one that are looked for."""

    former: uuid.UUID
    present: uuid.UUID
    faces: Sequence[LocatedFace]


@dataclass(frozen=True, slots=True)
class _Likeness:
    """What is known of two photos. comparable: whether both have a thumbnail. placement: None for two
    photos of which the one does not lie in the other."""

    comparable: bool
    placement: Placement | None


@dataclass(frozen=True, slots=True)
class FoundFaces:
    """same: faces that were found again. drawn: those of them that were made of boxes drawn by hand; their
    rows are not stored yet. successors: of photos that no file holds any more the new photo that was made of
    them."""

    same: Sequence[SameFace]
    drawn: Sequence[DrawnFaces] = ()
    successors: Mapping[uuid.UUID, uuid.UUID] = field(default_factory=dict)


@dataclass(slots=True)
class _Found:
    """boxes: of faces by hand that were not found. successors: as in ``FoundFaces``."""

    same: list[SameFace] = field(default_factory=list)
    boxes: list[MovedBox] = field(default_factory=list)
    successors: dict[uuid.UUID, uuid.UUID] = field(default_factory=dict)


class SameFaceSearch:
    """Finds faces of which something was said. Raises UnavailableError."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._database = stores.database

    def find(self, changes: Sequence[ChangedFile], gone: Sequence[uuid.UUID] = ()) -> FoundFaces:
        """The faces that are found again, each once for each of its photo's successors.

        First those that the files held before; then, among the faces that are left, those that the files had
        lost earlier; then, in new photos wherever they are, those of photos that no file holds any more
        (``gone``). A few statements for each 500 photos, a fetch for each 200 pairs of photos.
        """
        pairs = {(change.former, change.present) for change in changes}
        with self._database.read() as session:
            path_ids = photos.path_ids(session, [change.path for change in changes])
            located = faces.located_faces(
                session, sorted({photo for pair in pairs for photo in pair} | set(gone))
            )
            lost = lost_faces.lost_at_paths(session, list(path_ids.values()))
            formers = {former for former, _ in pairs} | set(gone)
            known = [face.id for former in formers for face in located.get(former, [])]
            decided = faces_with_decisions.decided_faces_by_id(session, known)
            located |= faces.located_faces(session, sorted({name.asset_id for name in lost} - located.keys()))
        said = {face.id for face in decided if face.is_decided or face.by_hand}
        direct = [
            _PhotoPair(former, present, located.get(former, []))
            for former, present in sorted(pairs)
            if any(face.id in said or face.person_id is not None for face in located.get(former, []))
        ]
        found = self._search(direct, located, set())
        losses = self._find_lost(found, changes, lost, path_ids, located)
        self._find_elsewhere(found, gone, pairs, said, located)
        return self._with_boxes(found, changes, losses)

    def _find_lost(
        self,
        found: _Found,
        changes: Sequence[ChangedFile],
        lost: Sequence[lost_faces.LostName],
        path_ids: Mapping[Path, int],
        located: Mapping[uuid.UUID, Sequence[LocatedFace]],
    ) -> dict[uuid.UUID, uuid.UUID]:
        """Add the faces that the files had lost earlier; returns the loss of each one that was looked for."""
        if not lost:
            return {}
        present_at = {path_ids[change.path]: change.present for change in changes if change.path in path_ids}
        earlier: dict[tuple[uuid.UUID, uuid.UUID], dict[uuid.UUID, uuid.UUID]] = {}
        for name in lost:
            present = present_at.get(name.path_id) if name.path_id is not None else None
            if present is not None and present != name.asset_id:
                earlier.setdefault((name.asset_id, present), {})[name.face_id] = name.id
        losses = {face: loss for of_photo in earlier.values() for face, loss in of_photo.items()}
        again = [
            _PhotoPair(former, present, [face for face in located.get(former, []) if face.id in wanted])
            for (former, present), wanted in earlier.items()
        ]
        more = self._search(again, located, {face.present for face in found.same})
        found.same += [SameFace(face.former, face.present, losses[face.former]) for face in more.same]
        found.boxes += more.boxes
        return losses

    def _find_elsewhere(
        self,
        found: _Found,
        gone: Sequence[uuid.UUID],
        compared: Set[tuple[uuid.UUID, uuid.UUID]],
        said: Set[uuid.UUID],
        located: dict[uuid.UUID, list[LocatedFace]],
    ) -> None:
        """Add the faces of gone photos that are in new photos. compared: pairs that were searched before."""
        again = {face.former for face in found.same}
        left = {id_: [face for face in located.get(id_, []) if face.id not in again] for id_ in gone}
        wanted = {
            id_: [face for face in of_photo if face.id in said or face.person_id is not None]
            for id_, of_photo in left.items()
        }
        candidates = SuccessorSearch(self._stores).candidates(wanted)
        pairs = [
            _PhotoPair(former, present, left[former])
            for former, present in candidates
            if (former, present) not in compared
        ]
        with self._database.read() as session:
            lacking = sorted({pair.present for pair in pairs} - located.keys())
            located |= faces.located_faces(session, lacking)
        more = self._search(pairs, located, {face.present for face in found.same})
        found.same += more.same
        found.boxes += more.boxes
        photo_of = {face.id: photo for photo, of_photo in located.items() for face in of_photo}
        shared = Counter((photo_of[face.former], photo_of[face.present]) for face in more.same)
        changed = {former for former, _ in compared}
        for (former, present), _ in shared.most_common():
            if former not in changed:
                found.successors.setdefault(former, present)

    def _with_boxes(
        self, found: _Found, changes: Sequence[ChangedFile], losses: Mapping[uuid.UUID, uuid.UUID]
    ) -> FoundFaces:
        """What was found, and the faces by hand whose boxes could be carried over."""
        files: dict[uuid.UUID, list[Path]] = {}
        for change in changes:
            files.setdefault(change.present, []).append(change.path)
        moved = BoxMover(self._stores).move(found.boxes, files)
        again = [SameFace(former, id_, losses.get(former)) for (former, _), id_ in moved.ids.items()]
        return FoundFaces(found.same + again, moved.drawn, found.successors)

    def _search(
        self,
        pairs: Sequence[_PhotoPair],
        located: Mapping[uuid.UUID, Sequence[LocatedFace]],
        taken: set[uuid.UUID],
    ) -> _Found:
        found = _Found()
        with thread_pool(self._stores.settings.workers, "compare") as pool:
            for part in chunks(pairs, PAIRS):
                wanted = [
                    face.point_id for pair in part for face in [*pair.faces, *located.get(pair.present, [])]
                ]
                embeddings = self._stores.faces.get_embeddings_by_point_ids(wanted, FETCH_BATCH)
                likenesses = map_ahead(pool, self._compare, part, 2 * self._stores.settings.workers)
                for pair, likeness in zip(part, likenesses, strict=True):
                    present = [face for face in seen(located.get(pair.present, [])) if face.id not in taken]
                    former = seen(pair.faces)
                    same = self._pair_faces(former, present, likeness, embeddings)
                    found.same += same
                    again = {face.former for face in same}
                    missing = [face for face in former if face.id not in again]
                    found.boxes += moved_boxes(missing, present, pair.present, likeness.placement)
        return found

    def _compare(self, pair: _PhotoPair) -> _Likeness:
        thumbnail = self._stores.paths.thumbnail
        return _Likeness(*find_placement(thumbnail(pair.former), thumbnail(pair.present)))

    def _pair_faces(
        self,
        former: Sequence[LocatedFace],
        present: Sequence[LocatedFace],
        likeness: _Likeness,
        embeddings: EmbeddingBatch,
    ) -> list[SameFace]:
        if likeness.comparable and likeness.placement is None:
            return []
        thresholds = self._stores.thresholds
        former = [face for face in former if face.point_id in embeddings]
        present = [face for face in present if face.point_id in embeddings]
        shares = _shares(former, present, likeness.placement)
        pairs = pair_faces(
            _rows(former, embeddings) @ _rows(present, embeddings).T,
            shares,
            # without a picture to compare, the embedding has to say as much as assigning asks for
            min_similarity=thresholds.same_person if likeness.comparable else thresholds.assign,
            may_be=shares >= SAME_FACE if likeness.comparable else None,
        )
        return [SameFace(former[row].id, present[column].id) for row, column in pairs]


def seen(of: Iterable[LocatedFace]) -> list[LocatedFace]:
    """Faces without the boxes that somebody drew and took away again: those never were in the picture."""
    return [face for face in of if face.is_face or not face.by_hand]


def _rows(of: Iterable[LocatedFace], embeddings: EmbeddingBatch) -> FloatArray:
    rows = [embeddings[face.point_id] for face in of]
    return np.array(rows, dtype=np.float32).reshape(len(rows), -1 if rows else embeddings.matrix.shape[1])


def _shares(
    former: Sequence[LocatedFace], present: Sequence[LocatedFace], placement: Placement | None
) -> FloatArray:
    """How much of their places each two faces have in common, ``(n, m)``."""
    placed = [face.box if placement is None else placement.place(face.box) for face in former]
    rows = [[overlap(box, face.box) for face in present] for box in placed]
    return np.array(rows, dtype=np.float32).reshape(len(former), len(present))
