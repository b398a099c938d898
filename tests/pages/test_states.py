"""Screens while they load, without anything to show, refused, overtaken, without Qdrant: at every look."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.pages.accessibility import violations
from tests.pages.browser import LOOKS, Complaints, Look, Site, site
from tests.pages.conftest import Visit
from tests.pages.every_screen import every_screen
from tests.pages.screens import Review, Screen

pytestmark = [pytest.mark.depth, pytest.mark.parametrize("look", LOOKS, ids=str)]
NOTHING = ("people", "groups", "alone", "photos", "conflicts", "history", "jobs", "welcome")
"""Screens of a library that has nothing yet; the review leads to the last of them."""
WITHOUT_DATA = ("settings", "docs")


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A served library in which nothing was indexed yet."""
    with site(tmp_path_factory.mktemp("empty") / "library", engine="synthetic") as served:
        yield served


def problem(status: int, detail: str, **more: Any) -> Callable[[Route], None]:
    """A route's answer that refuses."""
    body = json.dumps({"status": status, "title": "Refused", "detail": detail, "hint": "Why?", **more})
    return lambda route: route.fulfill(status=status, content_type="application/problem+json", body=body)


def findings(page: Page, name: str, look: Look) -> list[str]:
    """What is wrong with how a page looks: what sticks out of it, and what axe finds."""
    axe = [f"{name} {rule}: {node}" for rule, nodes in violations(page, look).items() for node in nodes]
    return [*(f"{name} sticks out: {one}" for one in Screen(page).sticks_out()), *axe]


def opened(page: Page, place: Site, path: str) -> None:
    page.goto("about:blank")  # else only the part behind the # would change
    page.goto(place.address + path)


def test_nothing_is_there_yet(visit: Visit, empty: Site, look: Look) -> None:
    """Each list of an empty library says so, and what to do."""
    page = visit(empty, "/settings", look)
    found = []
    for name in NOTHING:
        opened(page, empty, f"/{name}")
        Screen(page).settled()
        expect(page.locator("main .empty, main .steps, main .quiet").first).to_be_visible()
        found += findings(page, name, look)
    assert found == []


def test_nothing_has_come_yet(visit: Visit, named: Site, look: Look) -> None:
    """While answers are on their way, each screen has its frame and shows that more will come."""
    page = visit(named, "/settings", look)
    screens = every_screen(named)
    page.route("**/api/v1/**", lambda _: None)
    found = []
    for name in screens.keys() - WITHOUT_DATA:
        opened(page, named, screens[name])
        expect(page.locator("main [aria-busy=true]").first).to_be_attached()
        found += findings(page, name, look)
    assert found == []


def test_the_service_refuses(visit: Visit, named: Site, complaints: Complaints, look: Look) -> None:
    """Each screen says what the service says, with a way to try again."""
    complaints.expected.append("503")
    page = visit(named, "/settings", look)
    screens = every_screen(named)
    page.route("**/api/v1/**", problem(503, "The database does not answer."))
    found = []
    for name in screens.keys() - WITHOUT_DATA:
        opened(page, named, screens[name])
        expect(page.locator("#notices .notice")).to_contain_text("The database does not answer.")
        found += findings(page, name, look)
    assert found == []


def test_somebody_was_quicker(visit: Visit, named: Site, complaints: Complaints, look: Look) -> None:
    """An answer that came too late is kept, and can be given to what there is now."""
    complaints.expected.append("409")
    review = Review(visit(named, "/review", look))
    review.skip_to_name()
    late = problem(409, "Three more faces have come.", current_version="7", current_size=37)
    review.page.route("**/decisions/name-clusters", late)
    review.name.fill("Mary Somerville")
    review.name.press("Enter")
    expect(review.notice).to_contain_text("Three more faces have come.")
    expect(review.notice.get_by_role("button", name="Name all 37")).to_be_visible()
    assert findings(review.page, "review", look) == []


def test_qdrant_is_away(visit: Visit, named: Site, look: Look) -> None:
    """Screens work, and say that looking for similar faces has to wait."""
    page = visit(named, "/settings", look)
    state = {"ready": False, "components": [{"name": "qdrant", "ready": False, "detail": "refused"}]}
    page.route("**/ready?report=true", lambda route: route.fulfill(json=state))
    found = []
    for path in ("/people", "/review", "/photos"):
        opened(page, named, path)
        expect(page.locator("#notices .notice")).to_contain_text("Qdrant does not answer.")
        Screen(page).settled()
        found += findings(page, path, look)
    assert found == []
