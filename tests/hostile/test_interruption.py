"""Runs over hostile files end when they are told to, and archives are refused for what they are."""

from __future__ import annotations

import hashlib
import threading
from contextlib import closing
from pathlib import Path

import pytest

from image_search_service.core.errors import InvalidInputError, MediaError
from image_search_service.media import sidecars
from image_search_service.media.sidecars import Embedded
from image_search_service.services.backup.archive import (
    CHECKSUMS,
    END_OF_ARCHIVE,
    MANIFEST,
    archived,
    verified,
)
from image_search_service.services.metadata.names import MetadataNamesService
from tests.support.world import World, migrated_database

PHOTOS = 100


class CancelledError(Exception):
    """What a job's progress raises when the job is cancelled."""


def test_reading_names_ends_between_two_photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cancelled job, a signal or Ctrl-C is heard after any photo, not after the last of hundreds."""
    opened: list[Path] = []
    lock = threading.Lock()

    def read_embedded(path: Path) -> Embedded:
        with lock:
            opened.append(path)
        raise MediaError("It is only counted.")

    def progress(_done: int, _total: int | None) -> None:
        raise CancelledError

    monkeypatch.setattr(sidecars, "read_embedded", read_embedded)
    with closing(migrated_database(tmp_path)) as database:
        with database.write() as session:
            world = World(session)
            for number in range(PHOTOS):
                world.photo(str(tmp_path / f"{number}.jpg"))
        with pytest.raises(CancelledError):
            MetadataNamesService(database, "test", workers=2).read(progress)
    assert 0 < len(opened) < PHOTOS // 2


@pytest.mark.parametrize("manifest", ["[" * 10**6, '{"format": ' * 10**5, '{"format": ' + "9" * 10**4 + "}"])
def test_an_archive_without_a_manifest_is_refused(tmp_path: Path, manifest: str) -> None:
    """A manifest of brackets or digits without end is no manifest."""
    path = tmp_path / "backup.tar"
    member = archived(MANIFEST, manifest.encode())
    sums = f"{_sha256(manifest)}  {MANIFEST}\n"
    path.write_bytes(member + archived(CHECKSUMS, sums.encode()) + END_OF_ARCHIVE)
    with pytest.raises(InvalidInputError, match="no backup"):
        verified(path)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
