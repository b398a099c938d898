"""Faces by hand stay where they were drawn when their photo is edited, or are reported as lost."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image

from image_search_service.core.types import Box
from image_search_service.services.decisions.replay import RebuildService
from image_search_service.services.indexing.by_hand import HandFaceService
from tests.unit.services.indexing.named_library import NamedLibrary
from tests.unit.services.indexing.test_names_stay_with_faces import EDITS, GROUP, QUICK, cut

NO_FACE = (430.0, 330.0, 40.0, 40.0)
"""A box in the group photo in which no detector sees a face: x, y, width and height."""


@pytest.fixture
def drawn(named: NamedLibrary, photos: Path) -> NamedLibrary:
    """A group photo of which nobody is named but Opa, of whom no detector sees a face."""
    shutil.copy(photos / "groups" / "Obama_1.png", named.folder / GROUP)
    named.index()
    draw(named, NO_FACE, "Opa")
    return named


def draw(library: NamedLibrary, box: tuple[float, float, float, float], name: str | None) -> None:
    HandFaceService(library.opened.stores, "test").add(library.faces(GROUP)[0].asset_id, box, name)


@pytest.mark.parametrize(
    "edit",
    [pytest.param(edit, marks=() if edit in QUICK[:1] else pytest.mark.depth) for edit in EDITS],
)
def test_p6_a_face_by_hand_moves_with_its_picture(drawn: NamedLibrary, edit: str) -> None:
    """The box lies where what it shows lies in the edited photo, with its name; indexing again and the old
    content change nothing more."""
    change, back = EDITS[edit]
    with Image.open(drawn.folder / GROUP) as image:
        size = image.size
    before = (drawn.folder / GROUP).read_bytes()
    drawn.edit(GROUP, change)
    report = drawn.index()
    ((box, name),) = by_hand(drawn)
    assert name == "Opa"
    x, y = back(*box.center, size)
    assert (x, y) == pytest.approx((NO_FACE[0] + NO_FACE[2] / 2, NO_FACE[1] + NO_FACE[3] / 2), abs=8)
    assert (report.names_kept, report.names_lost, drawn.lost()) == (1, 0, [])
    assert RebuildService(drawn.opened.database).check().wrong == 0
    (drawn.folder / GROUP).write_bytes(before)
    drawn.touch(GROUP)
    drawn.index()
    assert [name for _, name in by_hand(drawn)] == ["Opa"]
    assert drawn.lost() == []


def test_a_face_by_hand_that_was_cut_off_is_reported(drawn: NamedLibrary) -> None:
    """A box outside of what is left of the photo is nowhere in it, and its name is reported as lost."""
    drawn.edit(GROUP, cut(0.75, 0, 1, 1))
    report = drawn.index()
    assert by_hand(drawn) == []
    assert (report.names_kept, report.names_lost) == (0, 1)
    assert [conflict.names for conflict in drawn.lost()] == [["Opa"]]


def by_hand(library: NamedLibrary) -> list[tuple[Box, str | None]]:
    """Boxes and names of the faces by hand of the group photo."""
    named = zip(library.faces(GROUP), library.names(GROUP), strict=True)
    return [(face.box, name) for face, name in named if face.by_hand and face.is_face]
