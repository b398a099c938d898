"""What the world around a page does: other tabs, names of other scripts, files of people, outages."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Route, expect

from image_search_service.core.access_token import bearer_headers
from image_search_service.services.backup.archive import verified
from tests.pages.browser import Complaints, Site, persons, site
from tests.pages.conftest import Visit
from tests.pages.demo_libraries import DemoLibraries
from tests.pages.every_screen import every_screen
from tests.pages.screens import Review, Screen
from tests.support.copies import copy_library

pytestmark = pytest.mark.depth
RIGHT_TO_LEFT = "שרה לוי"


def test_two_tabs_on_one_question(visit: Visit, unnamed: Site, complaints: Complaints) -> None:
    """Whoever answers second is told that somebody was quicker, and nothing is overwritten."""
    complaints.expected += ["409", "404"]
    first, second = Review(visit(unnamed, "/review")), Review(visit(unnamed, "/review"))
    for review in (first, second):
        review.skip_to_name()
    assert first.first_picture == second.first_picture
    first.type_name("Hedy Lamarr")
    expect(first.undo_line).to_contain_text("Hedy Lamarr now")
    asked = second.first_picture
    second.type_name("Mary Somerville")
    expect(second.notice).to_be_visible()
    assert "Mary Somerville" not in persons(unnamed)
    assert "Hedy Lamarr" in persons(unnamed)
    assert second.first_picture == asked
    first.undo_by_key()


@pytest.fixture
def fresh(demo: DemoLibraries, tmp_path: Path) -> Iterator[Site]:
    """A served library of which nobody has a name, and that no other test sees."""
    copy_library(demo.unnamed, tmp_path / "library")
    with site(tmp_path / "library") as served:
        yield served


def test_names_of_another_library_are_taken_over(
    fresh: Site, visit: Visit, named: Site, tmp_path: Path
) -> None:
    """A file that another library's export wrote is chosen on the welcome page, and its people are here."""
    request = urllib.request.Request(  # noqa: S310 - of this machine
        f"{named.address}/api/v1/export", headers=bearer_headers(named.library / "token")
    )
    with urllib.request.urlopen(request) as answer:  # noqa: S310
        (tmp_path / "people.jsonl").write_bytes(answer.read())
    page = visit(fresh, "/welcome")
    page.locator("#import").set_input_files(tmp_path / "people.jsonl")
    expect(page.locator("#names-said")).to_contain_text("people and")
    assert persons(fresh) == persons(named)
    expect(page.locator("#names-count")).to_contain_text(str(len(persons(named))))


def test_names_that_are_read_from_right_to_left(visit: Visit, named: Site) -> None:
    """Such a name is kept apart from the words and numbers around it, wherever it is shown."""
    made = named.decide("create-person", {"name": RIGHT_TO_LEFT})
    history = Screen(visit(named, "/history"))
    link = history.page.locator(".decision a", has_text=RIGHT_TO_LEFT).first
    assert link.evaluate("(one) => getComputedStyle(one).unicodeBidi") == "plaintext"
    button = history.page.get_by_role("button", name=RIGHT_TO_LEFT).first
    button.click()
    expect(history.undo_line).to_contain_text("Taken back")
    review = Review(visit(named, "/review"))
    review.skip_to_name()
    assert review.name.get_attribute("dir") == "auto"
    assert made["name"] == RIGHT_TO_LEFT


def test_a_page_whose_stream_began_late_hears_what_it_missed(
    visit: Visit, named: Site, complaints: Complaints
) -> None:
    """While the stream of events is refused from the beginning, a job comes and goes; once the stream begins,
    the page shows it, without being loaded again."""
    complaints.expected.append("502")
    page = visit(named, "/settings")
    page.route("**/api/v1/events*", lambda route: route.fulfill(status=502))
    page.goto(f"{named.address}/jobs")
    Screen(page).settled()
    job = named.post("/conflicts/find", {})
    while named.get(f"/jobs/{job['id']}")["state"] in ("queued", "running"):
        time.sleep(0.1)
    expect(page.locator(f"[data-job='{job['id']}']")).to_have_count(0)
    page.unroute("**/api/v1/events*")
    expect(page.locator(f"[data-job='{job['id']}']")).to_be_visible()


def test_a_backup_is_made_and_taken_home(visit: Visit, named: Site, tmp_path: Path) -> None:
    """The page of jobs has one made, shows how it comes along and how large it is, and gives it out: the
    newest alone, after a further visit, too."""
    for times in (1, 2):
        page = visit(named, "/jobs")
        page.get_by_role("button", name="Make a backup").click()
        made = page.locator("[data-job]", has_text="Writing a backup")
        give = page.get_by_role("link", name="Download the backup")
        for loaded in (True, False):
            expect(made).to_have_count(times)
            expect(made.filter(has_text="MB")).to_have_count(times)
            expect(give).to_have_count(1)
            expect(made.first.get_by_role("link")).to_have_count(1)
            if loaded:
                page.reload()
        with page.expect_download() as download:
            give.click()
        assert download.value.suggested_filename == "library.tar"
        download.value.save_as(tmp_path / "library.tar")
        assert verified(tmp_path / "library.tar").counts["pictures"] > 0


def test_what_is_gone_is_no_error(visit: Visit, named: Site) -> None:
    """Old addresses of a person, a group and a photo say that they are gone, and the console stays empty."""
    gone = uuid4()
    for path, said in {
        "people": "There is nobody here",
        "groups": "This group is gone",
        "photos": "There is no such photo.",
    }.items():
        page = visit(named, f"/{path}/{gone}")
        expect(page.locator("#main")).to_contain_text(said)


def test_an_outage_is_not_emptiness(visit: Visit, named: Site, complaints: Complaints) -> None:
    """While the service cannot answer, each screen says so with a way to try again, and none says that there
    is nothing."""
    complaints.expected.append("503")
    page = visit(named, "/settings")

    def away(route: Route) -> None:
        problem = {"detail": "Qdrant does not answer.", "hint": "Is it running?", "status": 503}
        route.fulfill(status=503, content_type="application/problem+json", body=json.dumps(problem))

    found: dict[str, str] = {}
    screens = every_screen(named)
    page.route("**/api/v1/**", away)
    for name, path in screens.items():
        if name in ("settings", "docs"):
            continue
        page.goto("about:blank")
        page.goto(named.address + path)
        try:
            expect(page.locator("#notices .notice")).to_contain_text("Qdrant does not answer", timeout=5_000)
        except AssertionError:
            found[name] = "says nothing"
        if page.locator("main .empty").count():
            found[name] = "says that it is empty"
    assert found == {}
