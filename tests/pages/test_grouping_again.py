"""What grouping again would change, in a browser: asked for, looked at, applied or left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from image_search_service.core.config import Settings
from image_search_service.db.models import ClusterRow, FaceInstance
from image_search_service.db.queries.clusters import mend_clusters
from image_search_service.library.opening import open_library
from tests.pages.accessibility import violations
from tests.pages.browser import LOOKS, Look, Site, site
from tests.pages.conftest import Visit
from tests.pages.demo_libraries import DemoLibraries
from tests.pages.screens import Groups, Screen
from tests.support.copies import copy_library
from tests.support.served import no_bar
from tests.support.world import World

pytestmark = pytest.mark.depth


@pytest.fixture
def parted(demo: DemoLibraries, tmp_path: Path) -> Iterator[Site]:
    """A served library whose largest group is in two, as growing might leave it."""
    folder = tmp_path / "library"
    copy_library(demo.unnamed, folder)
    with (
        open_library(Settings(library=folder, offline=True), lambda _: None, no_bar) as library,
        library.database.write() as session,
    ):
        largest = session.scalars(select(ClusterRow).order_by(ClusterRow.size.desc())).first()
        assert largest is not None
        inside = select(FaceInstance).where(FaceInstance.cluster_id == largest.id).order_by(FaceInstance.id)
        World(session).cluster(session.scalars(inside).all()[:3])
        mend_clusters(session, [largest.id])
    with site(folder) as served:
        yield served


def test_groups_are_joined_when_somebody_says_so(parted: Site, visit: Visit) -> None:
    """A button has it computed; the card shows the two groups and the one that they would be; leaving it
    changes nothing, applying it makes one group of the two."""
    groups = Groups(visit(parted, "/groups"))
    page, card = groups.page, groups.page.locator(".regroup")
    before = parted.get("/faces/clusters?limit=1")["total"]
    for button in ("Leave the groups as they are", "Apply"):
        page.get_by_role("button", name="Group again").click()
        expect(card.get_by_role("heading", level=2)).to_contain_text("would move")
        expect(card).to_contain_text("1 group takes in another")
        expect(card.locator(".changes > li")).to_have_count(1)
        expect(card.locator(".changes img").first).to_be_visible()
        assert parted.get("/faces/clusters?limit=1")["total"] == before
        card.get_by_role("button", name=button).click()
        expect(card).to_have_count(0)
    assert parted.get("/faces/clusters?limit=1")["total"] == before - 1


def test_it_can_be_read_at_every_look(parted: Site, visit: Visit) -> None:
    """The card breaks no rule of accessibility, and sticks out nowhere."""
    first = visit(parted, "/groups")
    first.locator("#group-again").click()
    expect(first.locator(".regroup .changes img").first).to_be_visible()
    for look in (*LOOKS, Look(language="de")):
        screen = Screen(visit(parted, "/groups", look))
        expect(screen.page.locator(".regroup .changes img").first).to_be_visible()
        screen.settled()
        assert not screen.sticks_out()
        assert violations(screen.page, look) == {}
