"""Scrolling through lists of thousands: few elements are there, and few are made at once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from image_search_service.core.config import Settings
from image_search_service.library.opening import open_library
from image_search_service.services.evaluation.made_library import MadeLibraryService
from image_search_service.services.evaluation.made_rows import MadeSizes
from tests.pages.browser import Complaints, Site, most_seen, site
from tests.pages.conftest import Visit
from tests.pages.screens import MOST_NODES, Screen
from tests.support.served import no_bar

FACES, PHOTOS, PEOPLE = 6_000, 3_000, 1_000
MOST_A_FRAME = 16
"""Cells, or photos and headings, that a page makes in one frame of scrolling."""
STEPS, STEP = 12, 240
"""Turns of the wheel, and the pixels of each."""

WATCH = """() => {
  const WHAT = '.cell, .stretch > :not(.bone)';
  const made = new Set();
  window.seen = {nodes: 0, made: 0};
  new MutationObserver((changes) => {
    for (const node of changes.flatMap((change) => [...change.addedNodes])) {
      if (node.matches?.(WHAT)) made.add(node);
      for (const inner of node.querySelectorAll?.(WHAT) ?? []) made.add(inner);
    }
  }).observe(document.querySelector('main'), {childList: true, subtree: true});
  const frame = () => {
    window.seen.nodes = Math.max(window.seen.nodes, document.querySelectorAll('*').length);
    window.seen.made = Math.max(window.seen.made, made.size);
    made.clear();
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}"""
"""Keeps how many elements were in the document at most, and how many cells one frame made at most."""


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A served library of made-up faces; there are no photos behind them."""
    folder = tmp_path_factory.mktemp("large") / "library"
    settings = Settings(library=folder, offline=True, workers=1)
    with open_library(settings, lambda _: None, no_bar) as library, no_bar("Making", "faces") as progress:
        sizes = MadeSizes.for_faces(FACES, PHOTOS, PEOPLE)
        MadeLibraryService(library.stores, library.collections).make(sizes, progress)
    with site(folder) as served:
        yield served


def turn_the_wheel(page: Page, direction: int) -> None:
    for _ in range(STEPS):
        page.mouse.wheel(0, direction * STEP)
        page.evaluate("() => new Promise(requestAnimationFrame)")


@pytest.mark.depth
def test_scrolling_makes_little_at_once(visit: Visit, large: Site, complaints: Complaints) -> None:
    """Down, up, and with jumps to the middle and the end, every list stays small and grows by a few cells in
    each frame, so that no frame has to wait long."""
    complaints.expected.append("404")  # the pictures
    person = most_seen(large)["id"]
    for path in ("/people", f"/people/{person}", f"/people/{person}#photos", "/groups"):
        screen = Screen(visit(large, path))
        screen.page.locator(".cell, .wall a").first.wait_for()
        screen.settled()
        screen.page.evaluate(WATCH)
        screen.page.mouse.move(640, 500)
        turn_the_wheel(screen.page, 1)
        turn_the_wheel(screen.page, -1)
        for place in ("document.body.scrollHeight / 2", "document.body.scrollHeight"):
            screen.page.evaluate(f"() => scrollTo(0, {place})")
            screen.page.wait_for_function("() => !document.querySelector('main .bone')")
            screen.settled()
        seen = screen.page.evaluate("() => window.seen")
        assert 0 < seen["made"] <= MOST_A_FRAME, path
        assert seen["nodes"] <= MOST_NODES, path
