"""The thumbnails and crops that are on the disk."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest

from image_search_service.core.errors import UnavailableError
from image_search_service.core.paths import fan_out
from image_search_service.media.derivatives import write_atomically
from image_search_service.media.derived_files import derived_files, is_whole, remove_file, remove_half_written

IDS = [UUID(int=value << 96) for value in (1, 0x01000000, 0x01FFFFFF, 0xFE000000, 0xFF000001)]


def test_files_come_in_the_order_of_their_ids(tmp_path: Path) -> None:
    """Whatever the order in which the file system lists them."""
    for item_id in reversed(IDS):
        write_atomically(fan_out(tmp_path, item_id), b"x")
    found = list(derived_files(tmp_path))
    assert [file.item_id for file in found] == IDS
    assert [file.path for file in found] == [fan_out(tmp_path, item_id) for item_id in IDS]
    assert not any(file.is_stray or file.is_empty for file in found)


def test_what_nobody_looks_for_is_stray(tmp_path: Path) -> None:
    """Half written files, and whole ones in another folder than their name's; they do not break the order."""
    whole = fan_out(tmp_path, IDS[2])
    write_atomically(whole, b"")
    partial = whole.with_name(f".writing-123-456-{whole.name}")
    partial.write_bytes(b"x")
    elsewhere = whole.with_name(f"{IDS[4].hex}.jpg")
    elsewhere.write_bytes(b"x")
    found = list(derived_files(tmp_path))
    assert {file.path for file in found if file.is_stray} == {partial, elsewhere}
    assert [file.path for file in found if file.is_empty] == [whole]
    assert [file.item_id for file in found] == sorted(file.item_id for file in found)


def test_half_written_files_are_removed(tmp_path: Path) -> None:
    """Whole pictures and other programs' files stay."""
    whole = fan_out(tmp_path, IDS[2])
    write_atomically(whole, b"x")
    foreign = whole.with_name(".writing-a-letter.txt")
    for path in (whole.with_name(f".writing-123-456-{whole.name}"), foreign):
        path.write_bytes(b"")
    remove_half_written(tmp_path)
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == sorted([foreign, whole])


def test_other_files_are_passed_over(tmp_path: Path) -> None:
    """Other names, other folders, folders named like files; a root that is not there has no files."""
    for name in ("ab/notes.txt", "ab/AB.jpg", "other/x.jpg", "x.jpg", f"ab/.{IDS[0].hex}.jpg"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    (tmp_path / "cd").write_bytes(b"a file")
    (tmp_path / "ab" / f"ab{'0' * 30}.jpg").mkdir()
    assert list(derived_files(tmp_path)) == []
    assert list(derived_files(tmp_path / "nowhere")) == []


def test_whole_and_removed(tmp_path: Path) -> None:
    """A file with something in it is whole; removing it twice is as removing it once."""
    path = tmp_path / "a.jpg"
    assert not is_whole(path)
    path.touch()
    assert not is_whole(path)
    path.write_bytes(b"x")
    assert is_whole(path)
    remove_file(path)
    remove_file(path)
    assert not path.exists()


def test_a_file_that_cannot_be_removed_says_so(tmp_path: Path) -> None:
    """The disk's reason comes with what to do."""
    with pytest.raises(UnavailableError, match="cannot be removed"):
        remove_file(tmp_path)
