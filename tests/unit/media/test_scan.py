"""``media.scan``: photos in trees as they really are."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from image_search_service.core.errors import InvalidInputError
from image_search_service.media.scan import PhotoScan


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"photo")


def names(folder: Path, scan: PhotoScan) -> list[str]:
    return [file.path.relative_to(folder).as_posix() for file in scan]


def found(folder: Path, roots: Sequence[Path] | None = None) -> list[str]:
    return names(folder, PhotoScan(roots or [folder]))


def test_photos_in_order(tmp_path: Path) -> None:
    """Photos of a folder come by name, then those of its folders; what is no photo is counted."""
    touch(tmp_path, "b.jpg", "a.PNG", "notes.txt", "z/1.heic", "c/d/2.gif", "c/1.webp", "movie.mov")
    scan = PhotoScan([tmp_path])
    assert names(tmp_path, scan) == ["a.PNG", "b.jpg", "c/1.webp", "c/d/2.gif", "z/1.heic"]
    assert (scan.ignored, scan.unread) == (2, [])


def test_size_and_time_are_the_files(tmp_path: Path) -> None:
    """A found file has its size and the time of its last change, to the nanosecond."""
    touch(tmp_path, "a.jpg")
    os.utime(tmp_path / "a.jpg", ns=(1, 1_234_567_890_123_456_789))
    (file,) = PhotoScan([tmp_path])
    assert (file.path, *file.state[:2]) == (tmp_path / "a.jpg", 5, 1_234_567_890_123_456_789)


def test_hidden_and_junk_are_left_out(tmp_path: Path) -> None:
    """Hidden files and folders, bins and devices' thumbnails are not looked into."""
    touch(
        tmp_path, "a.jpg", "._a.jpg", ".hidden.jpg", ".thumbnails/t.jpg", "@eaDir/e.jpg", "$RECYCLE.BIN/r.jpg"
    )
    assert found(tmp_path) == ["a.jpg"]


def test_a_hidden_folder_that_is_asked_for_is_read(tmp_path: Path) -> None:
    """Whoever names a hidden folder means it."""
    touch(tmp_path, ".photos/a.jpg")
    assert found(tmp_path, [tmp_path / ".photos"]) == [".photos/a.jpg"]


def test_names_that_are_odd(tmp_path: Path) -> None:
    """Names in any script, with spaces, newlines or bytes that are no Unicode are found and can be opened."""
    odd = [os.fsdecode(b"latin1-\xe9.jpg"), "写真.jpg", "line\nbreak.jpg", " .jpg", "🙂.jpg", "e\u0301.jpg"]
    touch(tmp_path, *odd)
    files = list(PhotoScan([tmp_path]))
    assert sorted(file.path.name for file in files) == sorted(odd)
    assert all(file.path.read_bytes() == b"photo" for file in files)


def test_a_tree_deeper_than_recursion(tmp_path: Path) -> None:
    """A tree of more folders than Python may nest calls is walked to its end."""
    folders = [tmp_path]
    for _ in range(1500):
        folders.append(folders[-1] / "d")
        folders[-1].mkdir()
    photo = folders[-1] / "a.jpg"
    photo.touch()
    try:
        assert [file.path for file in PhotoScan([tmp_path])] == [photo]
    finally:  # pytest's own clearing up would nest too many calls
        photo.unlink()
        for folder in reversed(folders[1:]):
            folder.rmdir()


def test_links_in_a_circle(tmp_path: Path) -> None:
    """Folders that contain themselves through links are read once."""
    touch(tmp_path, "a/1.jpg", "a/b/2.jpg")
    (tmp_path / "a" / "b" / "up").symlink_to(tmp_path / "a")
    (tmp_path / "a" / "self").symlink_to(".")
    (tmp_path / "round").symlink_to("round")  # leads nowhere but to itself
    scan = PhotoScan([tmp_path])
    assert names(tmp_path, scan) == ["a/1.jpg", "a/b/2.jpg"]
    assert [path.name for path, _ in scan.unread] == ["round"]


def test_linked_folders_and_files_are_followed(tmp_path: Path) -> None:
    """Photos behind links are found, under the link's name."""
    touch(tmp_path, "elsewhere/1.jpg", "elsewhere/2.jpg", "library/x.jpg")
    (tmp_path / "library" / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "library" / "y.jpg").symlink_to(tmp_path / "elsewhere" / "1.jpg")
    assert found(tmp_path, [tmp_path / "library"]) == [
        "library/x.jpg", "library/y.jpg", "library/linked/1.jpg", "library/linked/2.jpg",
    ]  # fmt: skip


def test_a_real_path_wins_over_a_link(tmp_path: Path) -> None:
    """A folder below the root has its own name, also when a link to it comes first by name or by root."""
    touch(tmp_path, "one/z/1.jpg", "two/2.jpg")
    (tmp_path / "one" / "a").symlink_to(tmp_path / "one" / "z")
    (tmp_path / "one" / "b").symlink_to(tmp_path / "two")
    assert found(tmp_path, [tmp_path / "one", tmp_path / "two"]) == ["one/z/1.jpg", "two/2.jpg"]


def test_overlapping_roots_give_each_photo_once(tmp_path: Path) -> None:
    """A folder, a folder in it, a photo in that and the same again: each photo comes once."""
    touch(tmp_path, "a/1.jpg", "a/b/2.jpg", "a/b/3.jpg")
    roots = [tmp_path / "a" / "b", tmp_path / "a" / "b" / "3.jpg", tmp_path / "a", tmp_path / "a"]
    assert sorted(found(tmp_path, roots)) == ["a/1.jpg", "a/b/2.jpg", "a/b/3.jpg"]
    assert len(found(tmp_path, roots)) == 3


def test_a_named_file_is_taken_whatever_its_name(tmp_path: Path) -> None:
    """A file that is named itself is tried, even if its name is no photo's."""
    touch(tmp_path, "scan.bin", "other.bin")
    assert found(tmp_path, [tmp_path / "scan.bin"]) == ["scan.bin"]


def test_dots_in_a_root_do_not_give_a_photo_two_names(tmp_path: Path) -> None:
    """The same folder, named with detours, gives the same paths."""
    touch(tmp_path, "a/1.jpg", "b/2.jpg")
    direct = [file.path for file in PhotoScan([tmp_path / "a"])]
    assert [file.path for file in PhotoScan([tmp_path / "b" / ".." / "a"])] == direct


def test_the_excluded_folder_is_skipped(tmp_path: Path) -> None:
    """The library's own folder is not looked into, under whatever name it is met."""
    touch(tmp_path, "1.jpg", "library/thumb.jpg")
    (tmp_path / "link").symlink_to(tmp_path / "library")
    scan = PhotoScan([tmp_path], exclude=[tmp_path / "library", tmp_path / "does not exist"])
    assert names(tmp_path, scan) == ["1.jpg"]


def test_links_to_nowhere_are_reported(tmp_path: Path) -> None:
    """A photo or folder behind a broken link is named, so that it is not taken for deleted."""
    touch(tmp_path, "a.jpg")
    (tmp_path / "b.jpg").symlink_to("/nowhere/b.jpg")
    (tmp_path / "drive").symlink_to("/nowhere/drive")
    scan = PhotoScan([tmp_path])
    assert names(tmp_path, scan) == ["a.jpg"]
    assert sorted(path.name for path, _ in scan.unread) == ["b.jpg", "drive"]
    assert all("What the link points to is not there" in reason for _, reason in scan.unread)


def test_a_folder_that_may_not_be_read_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that the system refuses is named with the reason, and the others are read."""
    touch(tmp_path, "closed/1.jpg", "open/2.jpg")
    scandir = os.scandir

    def refusing(folder: str) -> object:
        if folder.endswith("closed"):
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    # Tests may run as root, whom no folder refuses.
    monkeypatch.setattr("image_search_service.media.scan.os.scandir", refusing)
    scan = PhotoScan([tmp_path])
    assert names(tmp_path, scan) == ["open/2.jpg"]
    assert scan.unread == [(tmp_path / "closed", "Permission denied.")]


def test_a_pipe_is_no_photo(tmp_path: Path) -> None:
    """Something that is neither file nor folder is not opened, whatever it is called."""
    os.mkfifo(tmp_path / "pipe.jpg")
    scan = PhotoScan([tmp_path])
    assert (list(scan), scan.ignored) == ([], 1)


def test_a_root_that_is_not_there(tmp_path: Path) -> None:
    """A root that does not exist, or is neither folder nor file, is wrong use and says so."""
    with pytest.raises(InvalidInputError, match="nowhere cannot be opened"):
        PhotoScan([tmp_path / "nowhere"])
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InvalidInputError, match="neither a folder nor a file"):
        PhotoScan([tmp_path / "pipe"])


def test_p5_links_that_lead_in_circles_are_named(tmp_path: Path) -> None:
    """A photo, and what may be a folder, that are circles of links are named with the reason; others stay."""
    (tmp_path / "a.jpg").write_bytes(b"photo")
    (tmp_path / "b.jpg").symlink_to("b.jpg")
    (tmp_path / "round").symlink_to("round")
    scan = PhotoScan([tmp_path])
    assert [file.path.name for file in scan] == ["a.jpg"]
    assert sorted((path.name, "symbolic links" in reason) for path, reason in scan.unread) == [
        ("b.jpg", True),
        ("round", True),
    ]
