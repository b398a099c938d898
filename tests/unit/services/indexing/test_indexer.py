"""Indexing, as people's folders really are."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from PIL import Image
from sqlalchemy import select

from image_search_service.core.errors import EngineMismatchError, InvalidInputError, UnavailableError
from image_search_service.db.models import AssetPath, FaceInstance, PersonRow
from image_search_service.db.queries import face_moves, photos
from image_search_service.library.health import library_counts
from image_search_service.library.opening import Library
from image_search_service.services.indexing import indexer
from image_search_service.services.indexing.indexer import IndexService
from image_search_service.services.indexing.report import IndexReport
from tests.support.round_trips import round_trips


def index(opened: Library, *roots: Path, **options: Any) -> IndexReport:
    return IndexService(opened.stores).index(list(roots), **options)


def truth(album: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((album / "truth.json").read_text(encoding="utf-8"))
    return found


def faces_by_file(opened: Library) -> dict[Path, list[str]]:
    with opened.database.read() as session:
        rows = session.execute(
            select(AssetPath.path, FaceInstance.id)
            .join(FaceInstance, FaceInstance.asset_id == AssetPath.asset_id)
            .where(AssetPath.missing_since.is_(None))
            .order_by(AssetPath.path, FaceInstance.position)
        )
        found: dict[Path, list[str]] = {}
        for path, face_id in rows:
            found.setdefault(path, []).append(str(face_id))
        return found


def photo_with_faces(opened: Library) -> Path:
    """A JPEG file that shows faces and of which there is no copy."""
    found = faces_by_file(opened)
    return next(
        path
        for path, faces in found.items()
        if path.suffix.lower() == ".jpg" and list(found.values()).count(faces) == 1
    )


def test_everything_that_can_be_read_is_indexed_and_the_rest_is_named(opened: Library, album: Path) -> None:
    """Faces as many as were drawn, each with embedding and crop; each bad file with its reason."""
    report = index(opened, album)
    known = truth(album)
    readable = sum(face["readable"] for faces in known["photos"].values() for face in faces)
    counts = library_counts(opened)
    assert {failure.path.relative_to(album).as_posix() for failure in report.failures} == set(
        known["bad_files"]
    )
    assert all(failure.reason for failure in report.failures)
    assert report.photos_seen == report.photos_new + report.photos_moved + report.photos_failed
    assert (counts.faces, counts.photos) == (readable, len(known["photos"]))
    ids = [face for faces in faces_by_file(opened).values() for face in faces]
    assert opened.faces.count() == len(set(ids)) == counts.faces
    assert len(list(opened.paths.crops.rglob("*.jpg"))) == counts.faces
    assert len(list(opened.paths.thumbnails.rglob("*.jpg"))) == counts.photos


def test_second_run_finds_nothing_to_do(
    opened: Library, album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unchanged files are not opened again; what could not be read is still reported."""
    first = index(opened, album)
    monkeypatch.setattr(indexer, "_hash", lambda file: pytest.fail(f"{file} was read again"))
    second = index(opened, album)
    assert (second.photos_new, second.photos_moved, second.faces_new) == (0, 0, 0)
    assert second.photos_unchanged == first.photos_new + first.photos_moved
    assert sorted(second.failures, key=str) == sorted(first.failures, key=str)


def test_moved_and_renamed_files_keep_their_faces(indexed: Library, indexed_album: Path) -> None:
    """A photo is recognised by its content, wherever it goes."""
    before = faces_by_file(indexed)
    photo = photo_with_faces(indexed)
    # Not every name is valid Unicode, or one line.
    target = indexed_album / "Új mappa \udcff" / "moved \n photo.jpg"
    target.parent.mkdir()
    photo.rename(target)
    report = index(indexed, indexed_album)
    assert (report.photos_new, report.photos_moved, report.photos_missing) == (0, 1, 1)
    assert faces_by_file(indexed)[target] == before[photo]


def test_two_copies_are_one_photo(indexed: Library, indexed_album: Path) -> None:
    """A copy is one more file of the photo, and brings no face twice."""
    before = library_counts(indexed)
    photo = photo_with_faces(indexed)
    shutil.copy(photo, photo.with_name("copy.jpg"))
    assert index(indexed, indexed_album).photos_moved == 1
    after = library_counts(indexed)
    assert (after.photos, after.faces, after.files) == (before.photos, before.faces, before.files + 1)


def test_vanished_files_are_missing_until_they_are_back(indexed: Library, indexed_album: Path) -> None:
    """Nothing is deleted because a drive is away, nor missing because another folder was looked at."""
    faces = library_counts(indexed).faces
    photo = photo_with_faces(indexed)
    away = indexed_album.parent / "away.jpg"
    photo.rename(away)
    assert index(indexed, indexed_album).photos_missing == 1
    assert library_counts(indexed).faces == faces
    other = indexed_album.parent / "other"
    other.mkdir()
    assert index(indexed, other).photos_missing == 0
    away.rename(photo)
    assert index(indexed, indexed_album).photos_missing == 0
    assert library_counts(indexed).photos_missing == 0


def test_names_survive_the_editing_of_a_photo(indexed: Library, indexed_album: Path) -> None:
    """When a program rewrites a file, its faces are found again and belong to whom they belonged."""
    photo = photo_with_faces(indexed)
    old = faces_by_file(indexed)[photo]
    with indexed.database.write() as session:
        ada = PersonRow(name="Ada", name_key="ada")
        session.add(ada)
        session.flush()
        face_moves.set_persons(session, {UUID(old[0]): ada.id})
    with Image.open(photo) as image:
        image.load()
        image.save(photo, "JPEG", quality=88, exif=image.getexif(), comment=b"edited")
    os.utime(photo, ns=(1, 1))
    report = index(indexed, indexed_album)
    assert report.photos_new == 1
    new = faces_by_file(indexed)[photo]
    assert not set(new) & set(old)
    with indexed.database.read() as session:
        owners = [session.get_one(FaceInstance, UUID(face)).person_id for face in new]
    assert owners[0] is not None
    assert owners[1:] == [None] * (len(new) - 1)
    assert library_counts(indexed).named_faces == 1


def test_failed_files_are_read_again_when_asked_for(indexed: Library, indexed_album: Path) -> None:
    """A file that was damaged and is repaired is a new photo; one that is not stays reported."""
    bad = len(truth(indexed_album)["bad_files"])
    assert len(index(indexed, indexed_album, retry_failed=True).failures) == bad
    empty = next(indexed_album.rglob("empty.jpg"))
    shutil.copy(photo_with_faces(indexed), empty)
    repaired = index(indexed, indexed_album)
    assert (len(repaired.failures), repaired.photos_moved) == (bad - 1, 1)


def test_interruption_keeps_what_was_stored(
    opened: Library, album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C ends the run at once; the next one goes on and ends where an uninterrupted one ends."""
    monkeypatch.setattr(indexer, "STORE_BATCH", 4)

    def interrupt(done: int, _: int | None) -> None:
        if done >= 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        index(opened, album, progress=interrupt)
    stored = library_counts(opened).photos
    assert stored > 0
    report = index(opened, album)
    assert library_counts(opened).photos == stored + report.photos_new == len(truth(album)["photos"])
    assert opened.faces.count() == library_counts(opened).faces


def test_unavailable_vector_store_leaves_no_face_without_embedding(
    opened: Library, album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If Qdrant fails, the batch is not in SQL either, and the next run brings both."""

    def fail(*_: Any) -> None:
        raise UnavailableError("Qdrant does not answer.")

    with monkeypatch.context() as broken:
        broken.setattr(type(opened.faces), "upsert_faces", fail)
        with pytest.raises(UnavailableError):
            index(opened, album)
    assert library_counts(opened).faces == 0
    index(opened, album)
    assert library_counts(opened).faces == opened.faces.count() > 0


def test_round_trips_follow_batches_not_faces(opened: Library, album: Path) -> None:
    """One request to Qdrant for each batch stored, and as many statements in SQL for one face as for ten."""
    with round_trips(opened.database.engine) as trips:
        report = index(opened, album)
    batches = -(-(report.photos_new + report.photos_failed) // indexer.STORE_BATCH)
    assert trips.qdrant["upsert"] == batches
    assert trips.statements < 80


def test_memory_for_many_photos_is_given_back(
    opened: Library, album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine is told once that a run has read its photos, also one that fails; a run without new ones
    opens none."""
    released: list[bool] = []
    monkeypatch.setattr(opened.stores.engine, "release", lambda: released.append(True))
    with monkeypatch.context() as broken:
        broken.setattr(photos, "save_assets", _fail)
        with pytest.raises(UnavailableError):
            IndexService(opened.stores).index([album])
    assert len(released) == 1
    IndexService(opened.stores).index([album])
    IndexService(opened.stores).index([album])
    assert len(released) == 2


def _fail(*_: object) -> None:
    raise UnavailableError("the database is away")


def test_a_root_that_is_not_there_is_wrong_use(indexed: Library, indexed_album: Path) -> None:
    """A folder that does not exist is an error, and nothing is taken for missing."""
    with pytest.raises(InvalidInputError):
        index(indexed, indexed_album.with_name("nowhere"))
    assert library_counts(indexed).photos_missing == 0


def test_library_stays_with_its_engine(opened: Library) -> None:
    """Another engine than the one that a library was made with is refused, with the way out."""
    object.__setattr__(opened.settings, "engine", "dlib")
    with pytest.raises(EngineMismatchError, match="synthetic") as refused:
        opened.engine_binding.bind()
    assert "--library" in (refused.value.hint or "")
