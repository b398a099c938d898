"""Names that have lost their face, in a browser: the card, its picture at every look, and its answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect
from sqlalchemy import func, select

from image_search_service.core.config import Settings
from image_search_service.db.models import AssetPath, FaceInstance
from image_search_service.db.queries.faces import HUMAN
from image_search_service.library.opening import open_library
from image_search_service.services.indexing.edits import carry_over
from image_search_service.services.indexing.same_faces import ChangedFile, FoundFaces
from tests.pages.accessibility import violations
from tests.pages.browser import LOOKS, Site, site
from tests.pages.conftest import Visit
from tests.pages.demo_libraries import DemoLibraries
from tests.pages.screens import Screen
from tests.support.copies import copy_library
from tests.support.served import no_bar

pytestmark = pytest.mark.depth


@pytest.fixture
def lost(demo: DemoLibraries, tmp_path: Path) -> Iterator[Site]:
    """A served library in which the file of somebody's photo holds a photo of unknown people now."""
    folder = tmp_path / "library"
    copy_library(demo.named, folder)
    with (
        open_library(Settings(library=folder, offline=True), lambda _: None, no_bar) as library,
        library.database.write() as session,
    ):
        every = select(FaceInstance.asset_id).group_by(FaceInstance.asset_id).order_by(FaceInstance.asset_id)
        named = func.count(FaceInstance.person_id)
        alone = every.having(func.count() == 1, func.min(FaceInstance.assigned_by) == HUMAN)
        former = session.scalars(alone).first()
        present = session.scalars(every.having(named == 0, func.count() > 1)).first()
        assert former is not None
        assert present is not None
        paths = session.scalars(select(AssetPath).where(AssetPath.asset_id == former)).all()
        for path in paths:
            path.asset_id = present
        session.flush()
        carry_over(session, [ChangedFile(path.path, former, present) for path in paths], FoundFaces([]))
    with site(folder) as served:
        yield served


def test_a_lost_face_is_found_by_a_click(lost: Site, visit: Visit) -> None:
    """The card asks which face of the file it is now; a click on one names it, Undo brings the card back, and
    none of them is an answer, too."""
    screen = Screen(visit(lost, "/conflicts"))
    card = screen.page.locator(".conflict-list li").filter(has_text="was in this file")
    expect(card.locator(".which")).to_contain_text("one of the faces that the file shows now?")
    card.get_by_role("button", name="Face 1 is").click()
    expect(screen.undo_line).to_contain_text("has a face again")
    expect(card).to_have_count(0)
    screen.undo_by_mouse()
    card.get_by_role("button", name="None of these").click()
    expect(screen.undo_line).to_contain_text("is not in this photo any more")
    assert lost.get("/decisions?limit=1")["items"][0]["kind"] == "lost_face_gone"


def test_the_card_fits_and_can_be_used_by_all(lost: Site, visit: Visit) -> None:
    """At both widths and in both themes it sticks out nowhere, its pictures are small, axe finds nothing."""
    for look in LOOKS:
        screen = Screen(visit(lost, "/conflicts", look))
        screen.settled()
        assert not screen.sticks_out()
        picture = screen.page.locator(".this-one img").first.bounding_box()
        assert picture is not None
        assert picture["width"] < 100
        assert violations(screen.page, look) == {}
