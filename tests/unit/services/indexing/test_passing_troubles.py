"""P1: what may pass is not stored as a fact of the content; the next run tries again."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from image_search_service.core.records.photos import FailedPhotoRecord
from image_search_service.core.types import Pixels
from image_search_service.db.models import ImageAsset
from image_search_service.db.queries import unread_files
from image_search_service.library.health import library_counts
from image_search_service.library.opening import Library
from image_search_service.media import decode
from image_search_service.media.errors import media_errors
from image_search_service.media.scan import FoundFile
from image_search_service.services.indexing import indexer, reader
from image_search_service.services.indexing.indexer import IndexService
from image_search_service.services.indexing.reader import HashedFile
from image_search_service.services.indexing.report import Failure, IndexReport
from image_search_service.services.photos.photos import PhotoCatalogue
from tests.support.pictures import picture

TROUBLES: dict[str, Callable[[], Exception]] = {
    "input/output error": lambda: OSError(errno.EIO, os.strerror(errno.EIO)),
    "permission": lambda: PermissionError(errno.EACCES, os.strerror(errno.EACCES)),
    "system's memory": lambda: OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)),
    "stale handle": lambda: OSError(errno.ESTALE, os.strerror(errno.ESTALE)),
    "too many files": lambda: OSError(errno.EMFILE, os.strerror(errno.EMFILE)),
    "vanished": lambda: FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)),
    "memory": MemoryError,
}


def index(opened: Library, *roots: Path, **options: Any) -> IndexReport:
    return IndexService(opened.stores).index(list(roots), **options)


def unread(opened: Library) -> list[FailedPhotoRecord]:
    with opened.database.read() as session:
        return unread_files.unread_page(session, 0, 1000)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three photos of different content, and a copy of one."""
    made = tmp_path / "photos"
    made.mkdir()
    for number in range(3):
        picture(64 + number, 48).save(made / f"{number}.png")
    shutil.copy(made / "0.png", made / "copy.png")
    return made


def test_p1_folder_renamed_while_it_is_read(
    opened: Library, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files that vanish during a run are read by the next one where they are then; nothing stays failed."""
    hash_files = indexer._hash_files
    moved = folder.with_name("renamed")

    def rename_after_hashing(files: Any) -> Any:
        done = hash_files(files)
        if folder.exists():
            folder.rename(moved)
        return done

    monkeypatch.setattr(indexer, "_hash_files", rename_after_hashing)
    first = index(opened, folder)
    assert (first.photos_new, len(first.waiting)) == (0, 4)
    assert first.waiting_reasons() == {"The file has vanished.": 4}
    monkeypatch.undo()
    second = index(opened, moved)
    assert (second.photos_new, second.photos_moved, second.failures) == (3, 1, [])
    moved.rename(folder)
    assert index(opened, folder).photos_moved == 4
    assert unread(opened) == []


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("step", ["hash", "decode"])
def test_p1_what_passes_is_tried_again(
    opened: Library, folder: Path, monkeypatch: pytest.MonkeyPatch, step: str, trouble: str
) -> None:
    """A file that cannot be read just now is named, waits, and is read by the next run."""
    module, name = {"hash": (indexer, "hash_file"), "decode": (reader, "decoded_photo")}[step]
    original = getattr(module, name)

    def failing(path: Path, **options: Any) -> Any:
        with media_errors():
            if path.name == "1.png":
                raise TROUBLES[trouble]()
        return original(path, **options)

    monkeypatch.setattr(module, name, failing)
    first = index(opened, folder)
    assert (first.photos_new, first.photos_failed) == (2, 1)
    assert [(item.path.name, item.waits) for item in first.waiting] == [("1.png", True)]
    assert [(item.path.name, item.reason) for item in unread(opened)] == [("1.png", first.waiting[0].reason)]
    monkeypatch.undo()
    second = index(opened, folder)
    assert (second.photos_new, second.photos_unchanged, second.waiting) == (1, 3, [])
    assert unread(opened) == []


def test_p1_no_memory_for_what_follows_decoding(
    opened: Library, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lack of memory after a photo was decoded costs that photo's turn, not the run."""

    def reduced(pixels: Pixels, side: int) -> tuple[Pixels, float]:
        if pixels.shape[1] == 65:
            raise MemoryError
        return decode.reduced(pixels, side)

    monkeypatch.setattr(reader, "reduced", reduced)
    assert [item.path.name for item in index(opened, folder).waiting] == ["1.png"]
    monkeypatch.undo()
    assert index(opened, folder).photos_new == 1


def test_p1_the_limit_is_raised(opened: Library, folder: Path) -> None:
    """A photo above the limit of megapixels is read once the limit is higher."""
    for name in ("1.png", "2.png"):
        picture(1100, 1000).rotate(90 if name == "1.png" else 0, expand=True).save(folder / name)
    low = replace(opened.stores, settings=opened.stores.settings.model_copy(update={"max_megapixels": 1}))
    first = IndexService(low).index([folder])
    assert (first.photos_new, first.photos_moved) == (1, 1)
    assert sorted(item.path.name for item in first.waiting) == ["1.png", "2.png"]
    second = index(opened, folder)
    assert (second.photos_new, second.photos_failed) == (2, 0)


def test_p1_a_copy_is_read_where_the_first_file_cannot_be(
    opened: Library, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two files of one content the second is read when the first one fails."""
    original = decode.decoded_photo

    def failing(path: Path, **options: Any) -> Any:
        with media_errors():
            if path.name == "0.png":
                raise OSError(errno.EIO, "Input/output error")
        return original(path, **options)

    monkeypatch.setattr(reader, "decoded_photo", failing)
    report = index(opened, folder)
    assert (report.photos_new, [item.path.name for item in report.waiting]) == (3, ["0.png"])
    monkeypatch.undo()
    assert (index(opened, folder).photos_moved, library_counts(opened).files) == (1, 4)


def test_p1_a_known_photo_that_cannot_be_read_just_now_is_not_missing(
    opened: Library, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A changed file that fails keeps what is known of it until it can be read."""
    index(opened, folder)
    picture(70, 48).save(folder / "1.png")
    monkeypatch.setattr(indexer, "_hash", lambda file: Failure(file.path, "Busy.", waits=True))
    report = index(opened, folder)
    assert (report.photos_missing, len(report.waiting)) == (0, 1)
    assert library_counts(opened).files == 4
    monkeypatch.undo()
    assert index(opened, folder).photos_new == 1


def test_p1_a_file_that_changes_while_it_is_read(
    opened: Library, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The faces of one content are not stored under the hash of another."""
    original = decode.decoded_photo

    def changed(path: Path, **options: Any) -> Any:
        if path.name == "1.png":
            picture(90, 48).save(path)
        return original(path, **options)

    monkeypatch.setattr(reader, "decoded_photo", changed)
    report = index(opened, folder)
    assert [(item.path.name, item.reason) for item in report.waiting] == [
        ("1.png", "The file changed while it was read.")
    ]
    monkeypatch.undo()
    assert index(opened, folder).photos_new == 1


def test_p1_damage_is_kept_until_another_decoder(
    opened: Library, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Damage follows from the content and is not looked at again, until the decoders have another version."""
    (folder / "broken.jpg").write_bytes(b"no photo")
    first = index(opened, folder)
    assert [(item.path.name, item.waits) for item in first.failures] == [("broken.jpg", False)]
    opens: list[Path] = []
    original = decode.decoded_photo

    def counted(path: Path, **options: Any) -> Any:
        opens.append(path)
        return original(path, **options)

    monkeypatch.setattr(reader, "decoded_photo", counted)
    assert (index(opened, folder).photos_failed, opens) == (1, [])
    with opened.database.write() as session:
        session.execute(update(ImageAsset).values(failed_with="Pillow 1"))
    assert (index(opened, folder).photos_failed, len(opens)) == (1, 1)
    assert (index(opened, folder).photos_failed, len(opens)) == (1, 1)


def test_p1_lists_tell_what_waits(opened: Library, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list of failures has both kinds, in pages; what waited below a folder goes with its next run."""
    (folder / "broken.jpg").write_bytes(b"no photo")
    hash_file = indexer._hash

    def busy(file: FoundFile) -> HashedFile | Failure:
        return Failure(file.path, "Busy.", waits=True) if file.path.suffix == ".png" else hash_file(file)

    monkeypatch.setattr(indexer, "_hash", busy)
    index(opened, folder)
    catalogue = PhotoCatalogue(opened.database)
    first = catalogue.failed((0, False), 2)
    assert (first.total, [item.waits for item in first.items]) == (5, [False, True])
    rest = catalogue.failed((first.items[-1].number, True), 10)
    assert [item.path.name for item in rest.items] == ["1.png", "2.png", "copy.png"]


def test_p5_many_links_to_nowhere(opened: Library, folder: Path) -> None:
    """However many files cannot be looked at, the others are read and nothing is taken for missing."""
    (folder / "drive").mkdir()
    (folder / "drive" / "3.png").symlink_to(folder / "0.png")
    index(opened, folder)
    (folder / "drive" / "3.png").unlink()
    (folder / "drive" / "3.png").symlink_to("/nowhere/3.png")
    for number in range(1_200):
        (folder / f"{number}.jpg").symlink_to(f"/nowhere/{number}.jpg")
    report = index(opened, folder)
    assert (report.photos_unchanged, report.photos_missing, len(report.waiting)) == (4, 0, 1_201)
    assert len(unread(opened)) == 1_000
