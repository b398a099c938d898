"""P2: a photo's path is one that exists; a root that is not there is a state, and no dead end."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from image_search_service.core.errors import InvalidInputError, NotFoundError
from image_search_service.core.records.photos import AbsentState
from tests.unit.services.forgetting.shown import Shown


def test_p2_folder_moved_and_indexed_where_it_is(shown: Shown) -> None:
    """Photos are shown where they are now, and the paths below the vanished root are missing."""
    before, faces = shown.counts(), shown.faces_of("Ada")
    new = shown.folder.with_name("zzz")  # sorts after the dead paths
    shown.folder.rename(new)
    report = shown.index(new)
    assert (report.photos_new, report.folders_away) == (0, [])
    (folder,) = shown.forgetting.absent()
    assert (folder.path, folder.state, folder.photos) == (shown.folder, AbsentState.GONE, 0)
    assert all(path is not None and path.is_file() for path in shown.paths())
    assert all(path is not None and path.is_file() for path in shown.photos_of("Ada"))
    assert (shown.counts(), shown.faces_of("Ada")) == (before, faces)
    photo = next(path for path in shown.photos_of("Ada") if path is not None)
    photo.unlink()
    assert shown.index(new).photos_missing == 1
    assert photo not in shown.paths()
    assert photo not in shown.photos_of("Ada")
    assert shown.forgetting.forget().photos == 1


def test_p2_vanished_root_is_indexed(shown: Shown) -> None:
    """Indexing a root that is not there marks what was below it, instead of being refused."""
    photos, _, faces = shown.counts()
    away = shown.folder.rename(shown.folder.with_name("away"))
    report = shown.index(shown.folder)
    assert (report.photos_seen, report.folders_away) == (0, [shown.folder])
    assert shown.counts() == (0, photos, faces)
    assert set(shown.paths()) == {None}
    away.rename(shown.folder)
    report = shown.index()
    assert (report.photos_new, report.folders_away, shown.counts()) == (0, [], (photos, 0, faces))
    assert shown.forgetting.absent() == []


def test_p2_a_folder_never_known_is_wrong_use(shown: Shown, tmp_path: Path) -> None:
    """A mistyped folder is refused, beside one that is away, too."""
    shown.folder.rename(shown.folder.with_name("away"))
    with pytest.raises(InvalidInputError):
        shown.index(shown.folder, tmp_path / "mistyped")


def test_p2_files_moved_within_a_root_that_is_not_looked_at(shown: Shown) -> None:
    """The old path of a moved photo is missing, although the folder that it was in is not indexed again."""
    folder, *_ = (path for path in sorted(shown.folder.iterdir()) if path.is_dir())
    new = shown.folder.with_name("zzz")
    shutil.move(folder, new)
    report = shown.index(new)
    assert (report.photos_new, report.photos_missing > 0, report.folders_away) == (0, True, [])
    assert all(path is not None and path.is_file() for path in shown.paths())


@pytest.mark.parametrize("state", AbsentState)
def test_p2_a_drive_is_said_to_be_away_or_gone(shown: Shown, state: AbsentState) -> None:
    """What is below a folder is marked without the folder's being there; and what is there is not."""
    photos, _, faces = shown.counts()
    with pytest.raises(InvalidInputError, match="is there"):
        shown.forgetting.mark(shown.folder, state)
    with pytest.raises(NotFoundError):
        shown.forgetting.mark(Path("/nowhere"), state)
    shown.folder.rename(shown.folder.with_name("away"))
    marked = shown.forgetting.mark(shown.folder, state)
    assert (marked.state, marked.photos, marked.files >= photos) == (state, photos, True)
    assert shown.counts() == (0, photos, faces)
    (folder,) = shown.forgetting.absent()
    assert (folder.path, folder.state, folder.photos) == (shown.folder, state, photos)
    shown.index(shown.folder.with_name("away"))  # a run over something else leaves it said so
    (folder,) = shown.forgetting.absent()
    assert (folder.state, folder.photos) == (state, 0)
