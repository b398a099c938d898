"""F1, F3: names stay with their faces when files are moved, swapped or converted and changed at once."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import CancelledError
from pathlib import Path

import pytest
from PIL import Image

from image_search_service.core.records.photos import AbsentState
from image_search_service.db.queries import absent_folders
from image_search_service.services.decisions.replay import RebuildService
from image_search_service.services.indexing.indexer import IndexService
from tests.unit.services.indexing.named_library import NamedLibrary, lfw

TONY = "Tony_Blair"


@pytest.fixture
def tony(named: NamedLibrary, photos: Path) -> NamedLibrary:
    """a.jpg shows Tony, b.jpg somebody without a name."""
    shutil.copy(lfw(photos, 2, TONY), named.folder / "a.jpg")
    shutil.copy(lfw(photos, 3, "Laura_Bush"), named.folder / "b.jpg")
    named.index()
    named.name(named.faces("a.jpg")[0].id, "Tony")
    return named


def make_of(named: NamedLibrary, name: str, into: str, change: Callable[[Image.Image], Image.Image]) -> None:
    """A file of another name, place or format, made of one that goes."""
    target = named.folder / into
    target.parent.mkdir(exist_ok=True)
    with Image.open(named.folder / name) as image:
        changed = change(image.convert("RGB"))
    (named.folder / name).unlink()
    changed.save(target)


def cut(image: Image.Image) -> Image.Image:
    return image.crop((12, 8, image.width, image.height))


@pytest.mark.parametrize("into", ["a.png", "a.webp", "renamed.jpg", "elsewhere/a.jpg", "elsewhere/b.png"])
def test_f1_a_file_is_converted_or_moved_and_cut(tony: NamedLibrary, into: str) -> None:
    """The name is on the face in the new file, counted once, and nothing is missing or lost."""
    make_of(tony, "a.jpg", into, cut)
    report = tony.index()
    assert (report.names_kept, report.names_lost, report.photos_missing) == (1, 0, 0)
    assert (tony.names(into), tony.names("b.jpg"), tony.lost()) == (["Tony"], [None], [])
    assert tony.named_faces() == 1
    assert RebuildService(tony.opened.database).check().wrong == 0
    assert (tony.index().names_kept, tony.named_faces()) == (0, 1)


def test_f1_the_original_comes_back_beside_what_was_made_of_it(tony: NamedLibrary, photos: Path) -> None:
    """Both show him: a file that comes back unchanged is the photo that it was."""
    (tony.folder / "a.jpg").rename(tony.folder.parent / "kept.jpg")
    shutil.copy(tony.folder.parent / "kept.jpg", tony.folder / "a.jpg")
    make_of(tony, "a.jpg", "a.png", cut)
    tony.index()
    (tony.folder.parent / "kept.jpg").rename(tony.folder / "a.jpg")
    tony.index()
    assert (tony.names("a.png"), tony.names("a.jpg"), tony.lost()) == (["Tony"], ["Tony"], [])
    assert RebuildService(tony.opened.database).check().wrong == 0


def test_f1_what_was_deleted_earlier_is_found_in_a_new_file(tony: NamedLibrary) -> None:
    """A file that a run has found to be missing gives its names to what comes of it later."""
    shutil.copy(tony.folder / "a.jpg", tony.folder.parent / "kept.jpg")
    (tony.folder / "a.jpg").unlink()
    assert tony.index().photos_missing == 1
    with Image.open(tony.folder.parent / "kept.jpg") as image:
        cut(image).save(tony.folder / "c.png")
    assert tony.index().names_kept == 1
    assert (tony.names("c.png"), tony.named_faces()) == (["Tony"], 1)


def test_f1_a_run_that_was_stopped_before_it_had_seen_all(tony: NamedLibrary) -> None:
    """The next one looks among the photos that the stopped one has stored, too."""
    make_of(tony, "a.jpg", "c.png", cut)

    def stop(done: int, _: int | None) -> None:
        if done:
            raise CancelledError

    with pytest.raises(CancelledError):
        IndexService(tony.opened.stores).index([tony.folder], progress=stop)
    assert tony.names("c.png") == [None]
    assert tony.index().names_kept == 1
    assert (tony.names("c.png"), tony.named_faces()) == (["Tony"], 1)


def test_f1_what_is_away_keeps_its_names_to_itself(tony: NamedLibrary) -> None:
    """Of a photo in a folder that is away nothing is taken: it may come back."""
    (tony.folder / "a.jpg").unlink()
    with tony.opened.database.write() as session:
        absent_folders.mark_absent(session, tony.folder / "a.jpg", AbsentState.AWAY)
    assert tony.opened.paths.thumbnail(tony.faces("a.jpg")[0].asset_id).is_file()
    shutil.copy(tony.opened.paths.thumbnail(tony.faces("a.jpg")[0].asset_id), tony.folder / "c.webp")
    assert tony.index().names_kept == 0
    assert tony.names("a.jpg") == ["Tony"]


def test_f2_a_new_photo_of_the_same_person_inherits_nothing(tony: NamedLibrary, photos: Path) -> None:
    """Another photo of him that comes as his goes is another photo: it has no name, and his is missing."""
    (tony.folder / "a.jpg").unlink()
    shutil.copy(lfw(photos, 3, TONY), tony.folder / "c.jpg")
    report = tony.index()
    assert (report.names_kept, report.photos_missing, tony.names("c.jpg")) == (0, 1, [None])


def test_f3_two_files_are_swapped_and_cut(tony: NamedLibrary) -> None:
    """Each name is on its face, in the file that shows it now."""
    tony.name(tony.faces("b.jpg")[0].id, "Laura")
    make_of(tony, "a.jpg", "c.jpg", cut)
    make_of(tony, "b.jpg", "a.jpg", cut)
    (tony.folder / "c.jpg").rename(tony.folder / "b.jpg")
    for name in ("a.jpg", "b.jpg"):
        tony.touch(name)
    report = tony.index()
    assert (report.names_kept, report.names_lost) == (2, 0)
    assert (tony.names("a.jpg"), tony.names("b.jpg"), tony.lost()) == (["Laura"], ["Tony"], [])


def test_f6_a_face_that_is_lost_after_its_file_was_moved(tony: NamedLibrary) -> None:
    """It is reported: that the file was elsewhere once does not make it a photo that is only missing."""
    (tony.folder / "a.jpg").rename(tony.folder / "c.jpg")
    assert tony.index().photos_moved == 1
    tony.edit("c.jpg", lambda image: image.transpose(Image.Transpose.ROTATE_90))
    assert tony.index().names_lost == 1
    (lost,) = tony.lost()
    assert (lost.names, lost.path) == (["Tony"], tony.folder / "c.jpg")
    tony.edit("c.jpg", lambda image: image.transpose(Image.Transpose.ROTATE_270))
    tony.index()
    assert (tony.names("c.jpg"), tony.lost()) == (["Tony"], [])
