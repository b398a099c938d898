"""``media.excluding``: what a scan leaves out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from image_search_service.core.errors import InvalidInputError
from image_search_service.media.excluding import Excludes, checked_excludes
from image_search_service.media.scan import PhotoScan


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"photo")


def found(
    folder: Path, scanned: Sequence[Path] | None = None, excludes: Mapping[Path, list[str]] | None = None
) -> list[str]:
    scan = PhotoScan(scanned or [folder], excludes=Excludes(excludes or {}))
    return sorted(file.path.relative_to(folder).as_posix() for file in scan)


def test_a_folder_with_nomedia_is_skipped(tmp_path: Path) -> None:
    """With all that is in it; a root is no exception."""
    touch(tmp_path, "a.jpg", "b/.nomedia", "b/1.jpg", "b/c/2.jpg", "bb/3.jpg")
    assert found(tmp_path) == ["a.jpg", "bb/3.jpg"]
    assert found(tmp_path, [tmp_path / "b"]) == []


def test_an_ignore_file_counts_for_its_folder(tmp_path: Path) -> None:
    """It has gitignore's form; one that is deeper goes before, and a line that has not that form is passed
    over."""
    touch(tmp_path, "a.png", "a.jpg", "x/b.png", "x/keep/c.png", "raw/1.jpg", "x/raw/2.jpg")
    (tmp_path / ".image-search-ignore").write_text("\ufeff# drafts\n!\n*.png\n/raw/\n", encoding="utf-8")
    (tmp_path / "x" / "keep" / ".image-search-ignore").write_text("!*.png\n")
    assert found(tmp_path) == ["a.jpg", "x/keep/c.png", "x/raw/2.jpg"]
    assert found(tmp_path, [tmp_path / "x"], {tmp_path: []}) == ["x/keep/c.png", "x/raw/2.jpg"]


def test_excludes_of_a_root_count_below_it(tmp_path: Path) -> None:
    """Also when only a folder in it is scanned; a file in the folder goes before them."""
    touch(tmp_path, "a.jpg", "trash/1.jpg", "x/trash/2.jpg", "x/3.png", "x/y/4.png")
    excludes = {tmp_path: ["trash/", "*.png"]}
    assert found(tmp_path, None, excludes) == ["a.jpg"]
    assert found(tmp_path, [tmp_path / "x" / "trash"], excludes) == []
    assert found(tmp_path, [tmp_path / "x"], excludes) == []
    (tmp_path / ".image-search-ignore").write_text("!*.png\n")
    assert found(tmp_path, None, excludes) == ["a.jpg", "x/3.png", "x/y/4.png"]
    (tmp_path / "x" / ".nomedia").touch()
    assert found(tmp_path, [tmp_path / "x" / "y"], excludes) == []


def test_a_single_file_is_taken(tmp_path: Path) -> None:
    """Whoever names a file means it."""
    touch(tmp_path, "a.png")
    assert found(tmp_path, [tmp_path / "a.png"], {tmp_path: ["*.png"]}) == ["a.png"]


def test_an_ignore_file_that_cannot_be_read_hides_its_folder(tmp_path: Path) -> None:
    """Nothing is taken in that it may leave out; the folder is named, and waits."""
    touch(tmp_path, "a.jpg", "x/b.jpg")
    (tmp_path / "x" / ".image-search-ignore").mkdir()
    scan = PhotoScan([tmp_path])
    assert [file.path.name for file in scan] == ["a.jpg"]
    assert [path for path, _ in scan.unread] == [tmp_path / "x"]


@pytest.mark.parametrize("line", ["!", "\\", "a\nb"])
def test_what_has_not_the_form(line: str) -> None:
    """An exclude that has not gitignore's form is refused, with a hint."""
    with pytest.raises(InvalidInputError, match="form") as refused:
        checked_excludes(["raw/", line])
    assert refused.value.hint


def test_empty_lines_are_none() -> None:
    """Empty lines are left out; one alone says that nothing is."""
    assert checked_excludes(["", " raw/ "]) == ["raw/"]
