"""What is not where it was: folders and drives that are away, and files that moved from elsewhere."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from image_search_service.core.files import has_vanished
from image_search_service.core.records.photos import AbsentState
from image_search_service.db.queries import absent_folders, forgotten, photos
from image_search_service.db.session import Database, Session


def vanished_roots(database: Database, roots: Sequence[Path]) -> list[Path]:
    """Those that are not there although the library knows files at or below them."""
    vanished = [root for root in roots if has_vanished(root)]
    if not vanished:
        return []
    with database.read() as session:
        return [root for root in vanished if absent_folders.is_known(session, root.absolute())]


def mark_vanished(session: Session, asset_ids: Iterable[uuid.UUID], run: int) -> int:
    """Mark as missing those files of these photos, which have another file, that are not there any more."""
    files = photos.present_files(session, asset_ids, run)
    vanished = [path_id for path_id, path in files if has_vanished(path)]
    photos.mark_vanished(session, vanished)
    return len(vanished)


def note_absent(
    session: Session, roots: Sequence[Path], attached: Collection[uuid.UUID]
) -> tuple[int, list[Path]]:
    """Store which indexed folders are not there, and which are again since a run over ``roots`` has seen
    them. Returns how many files are missing for it that were not, and the folders that are away.

    attached: photos of which this run found a new file. A folder whose photos are all among them was moved:
    it is gone. Photos that were forgotten are shown if a file of them came back.
    """
    back = [
        path
        for path in absent_folders.absent_states(session)
        if _is_seen(path, roots) and not has_vanished(path)
    ]
    absent_folders.clear_absent(session, back)
    vanished = [root for root in absent_folders.index_roots(session) if has_vanished(root)]
    known = absent_folders.absent_states(session)
    moved = [
        root
        for root in vanished
        if root not in known and attached and absent_folders.photos_below(session, root) <= set(attached)
    ]
    missing = sum(
        absent_folders.mark_absent(session, root, AbsentState.GONE if root in moved else None)
        for root in vanished
    )
    forgotten.settle_forgotten(session, photos.forgotten_that_changed(session))
    states = absent_folders.absent_states(session)
    return missing, [path for path, state in states.items() if state is AbsentState.AWAY]


def _is_seen(path: Path, roots: Sequence[Path]) -> bool:
    return any(path.is_relative_to(root) or root.is_relative_to(path) for root in roots)
