"""The backup's file: damage anywhere is found and named, and what is written is whole or not there."""

from __future__ import annotations

import hashlib
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
import pytest

from image_search_service.core.errors import (
    DataIntegrityError,
    ImageSearchError,
    InvalidInputError,
    UnavailableError,
)
from image_search_service.core.types import EngineIdentity
from image_search_service.services.backup.archive import (
    CHECKSUMS,
    FORMAT,
    ArchiveWriter,
    Manifest,
    embeddings_from_bytes,
    embeddings_to_bytes,
    members,
    verified,
    write_file,
)
from tests.support.served import directions


def manifest(format_: int = FORMAT) -> Manifest:
    engine = EngineIdentity("synthetic", "0" * 64, 8)
    return Manifest("2026-01-01", "1", "0001", engine, UUID(int=1), [("t", {"id": "integer"})], {}, format_)


def pieces(format_: int = FORMAT) -> Iterator[bytes]:
    writer = ArchiveWriter()
    yield writer.member("tables/t/000000.jsonl", b"[1]\n")
    yield writer.member("embeddings/000000.npy", embeddings_to_bytes([uuid4()], directions(1)))
    yield writer.end(manifest(format_))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    write_file(tmp_path / "backup.tar", pieces())
    return tmp_path / "backup.tar"


def test_other_programs_can_read_it(file: Path, tmp_path: Path) -> None:
    """tar unpacks it, and sha256sum finds it whole."""
    with tarfile.open(file) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    lines = (tmp_path / "unpacked" / CHECKSUMS).read_text().splitlines()
    assert len(lines) == 3
    for line in lines:
        digest, name = line.split("  ")
        assert hashlib.sha256((tmp_path / "unpacked" / name).read_bytes()).hexdigest() == digest
    command = ["sha256sum", "--check", "--quiet", CHECKSUMS]
    assert subprocess.run(command, cwd=tmp_path / "unpacked", check=False).returncode == 0


def test_it_is_read_as_it_was_written(file: Path) -> None:
    """The manifest comes back, and so do the members."""
    assert verified(file) == manifest()
    assert next(members(file)).content == b"[1]\n"


def test_a_flipped_bit_anywhere_is_found(file: Path) -> None:
    """In each member's content it is damage that names the member; in a header, too, it is refused."""
    whole = file.read_bytes()
    with tarfile.open(file) as archive:
        places = {each.name: (each.offset, each.offset_data, each.size) for each in archive}
    for name, (header, start, size) in places.items():
        for place in {start, start + size // 2, start + size - 1}:
            flip(file, whole, place)
            with pytest.raises(DataIntegrityError, match=r"backup\.tar" if name == CHECKSUMS else name):
                verified(file)
        for place in (header, header + 124, header + 150):  # name, size, checksum
            flip(file, whole, place)
            with pytest.raises(ImageSearchError):
                verified(file)


def flip(file: Path, whole: bytes, place: int) -> None:
    file.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])


def test_a_file_that_was_cut_off_is_found(file: Path) -> None:
    """Wherever its end is missing."""
    whole = file.read_bytes()
    for length in (0, 100, 512, 600, len(whole) // 2, whole.rindex(CHECKSUMS.encode()), len(whole) - 1400):
        file.write_bytes(whole[:length])
        with pytest.raises((DataIntegrityError, InvalidInputError)):
            verified(file)


@pytest.mark.parametrize("content", [b"no backup", b"x" * 5000, b""])
def test_another_file_is_refused(tmp_path: Path, content: bytes) -> None:
    """What is no archive is said to be none."""
    (tmp_path / "file").write_bytes(content)
    with pytest.raises((InvalidInputError, DataIntegrityError)):
        verified(tmp_path / "file")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """With the system's reason."""
    with pytest.raises(InvalidInputError, match="No such file"):
        verified(tmp_path / "none")


def test_another_archive_is_refused(tmp_path: Path) -> None:
    """A tar archive that is no backup is said to be none."""
    writer = ArchiveWriter()
    (tmp_path / "other.tar").write_bytes(writer.member("holiday.jpg", b"x") + bytes(1024))
    with pytest.raises(DataIntegrityError, match="end is missing"):
        verified(tmp_path / "other.tar")


def test_a_manifest_that_is_none_is_refused(tmp_path: Path) -> None:
    """However right its checksum is."""
    writer = ArchiveWriter()
    member = writer.member("manifest.json", b"[]")
    wrong = manifest()
    wrong.tables = [("t", 1)]  # type: ignore[list-item]  # that is what is wrong
    for content in (member, writer.end(wrong)):
        (tmp_path / "other.tar").write_bytes(content)
        with pytest.raises((InvalidInputError, DataIntegrityError)):
            verified(tmp_path / "other.tar")


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    """It says what to do."""
    (tmp_path / "newer.tar").write_bytes(b"".join(pieces(FORMAT + 1)))
    with pytest.raises(InvalidInputError, match="newer version") as refused:
        verified(tmp_path / "newer.tar")
    assert "Update" in str(refused.value.hint)


def test_what_fails_leaves_what_was_there(file: Path, tmp_path: Path) -> None:
    """A backup that breaks off neither replaces the former one nor leaves a part of itself."""
    before = file.read_bytes()

    def broken() -> Iterator[bytes]:
        yield b"x" * 1000
        raise UnavailableError("Qdrant does not answer.")

    with pytest.raises(UnavailableError, match="Qdrant"):
        write_file(file, broken())
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


def test_a_disk_that_does_not_take_it_is_said() -> None:
    """The system's own words, and what to do."""
    with pytest.raises(UnavailableError, match="cannot be written") as refused:
        write_file(Path("/dev/full/backup.tar"), pieces())
    assert "room" in str(refused.value.hint)


def test_embeddings_come_back_bit_by_bit() -> None:
    """Ids and numbers are what they were, in their order."""
    ids, rows = [uuid4() for _ in range(7)], directions(7)
    found, matrix = embeddings_from_bytes(embeddings_to_bytes(ids, rows), rows.shape[1])
    assert found == ids
    assert np.array_equal(matrix, rows)
    with pytest.raises(ValueError, match="not of 3 numbers"):
        embeddings_from_bytes(embeddings_to_bytes(ids, rows), 3)
