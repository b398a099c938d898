"""Where things lie in a library's folder."""

from __future__ import annotations

from pathlib import Path

from image_search_service.core.paths import LibraryPaths


def test_everything_that_has_a_name_is_a_part(tmp_path: Path) -> None:
    """Each named place belongs to the library as soon as it is there, databases with what lies beside them;
    a file of somebody else does not."""
    paths = LibraryPaths(tmp_path)
    names = [name for name, value in vars(LibraryPaths).items() if isinstance(value, property)]
    assert paths.parts() == [tmp_path]
    for name in names:
        getattr(paths, name).touch()
    companions = [
        paths.database.with_name(f"{paths.database.name}-wal"),
        paths.queue.with_name(f"{paths.queue.name}-shm"),
    ]
    for path in (*companions, tmp_path / "notes.txt"):
        path.touch()
    assert len(names) > 10
    assert set(paths.parts()) == {tmp_path, *companions, *(getattr(paths, name) for name in names)}
