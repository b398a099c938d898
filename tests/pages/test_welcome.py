"""The first evening in a browser: an empty library, a folder, faces, and the first questions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.pages.browser import Site, site
from tests.pages.conftest import Visit
from tests.pages.screens import Review
from tests.support.waiting import wait_until


@pytest.fixture
def empty(drawn: Path, tmp_path: Path) -> Iterator[Site]:
    """A served library in which nothing was indexed yet."""
    with site(tmp_path / "library", engine="synthetic", photo_roots=drawn) as served:
        yield served


def test_a_folder_is_chosen_read_and_named_from(empty: Site, visit: Visit, drawn: Path) -> None:
    """An empty library opens at the welcome page; a folder of the server is chosen there and read, and then
    the first group gets one of the names that were put in first."""
    page = visit(empty, "/")
    page.wait_for_url("**/welcome")
    page.get_by_label("Who may be in the photos").fill("Ada Lovelace\nGrace Hopper\n")
    page.get_by_role("button", name="Keep these names").click()
    expect(page.get_by_text("2 names are new.")).to_be_visible()
    page.get_by_label("Who may be in the photos").fill(f"Emmy Noether\nada lovelace\n{'x' * 201}")
    page.get_by_role("button", name="Keep these names").click()
    expect(page.locator("#names-said")).to_contain_text(
        "1 name is new. 1 was there already. 1 cannot be a name"
    )
    expect(page.get_by_label("Who may be in the photos")).to_have_value("x" * 201)
    Review(page).undo_by_mouse()
    expect(page.locator("#names-count")).to_have_text("2 names")
    page.locator("#picker").get_by_role("button", name=str(drawn)).click()
    page.get_by_role("button", name="Read this folder").click()
    expect(page.locator("#progress")).to_contain_text("Everything is read.")
    expect(page.locator("#progress summary")).to_contain_text("could not be read")
    page.get_by_role("link", name="Start naming").click()
    review = Review(page)
    review.skip_to_name()
    before = review.first_picture
    page.keyboard.type("gr")
    page.keyboard.press("Enter")
    review.goes_on(before)
    expect(review.undo_line).to_contain_text("Grace Hopper now")
    counts = empty.get("/library")
    assert counts["persons"] == 2
    assert 0 < counts["named_faces"] < counts["faces"]


@pytest.mark.depth
def test_part_of_a_folder_is_left_out(empty: Site, visit: Visit, drawn: Path) -> None:
    """A folder's excludes are changed on the welcome page: what they leave out is counted beside it, and the
    folder can be taken off the list."""
    empty.post("/roots", {"path": str(drawn)})
    job = empty.post("/photos/index", {"paths": []})
    wait_until(lambda: empty.get(f"/jobs/{job['id']}")["state"] == "succeeded")
    page = visit(empty, "/welcome")
    folder = page.locator("#roots > li")
    folder.get_by_text("Leave out").click()
    folder.get_by_role("textbox").fill("2022/\n")
    page.get_by_role("button", name="Save and read again").click()
    expect(folder).to_contain_text("left out")
    (root,) = empty.get("/roots")["roots"]
    assert (root["excludes"], root["excluded"] > 0) == (["2022/"], True)
    if not folder.get_by_role("textbox").is_visible():
        folder.get_by_text("Leave out").click()
    folder.get_by_role("button", name="Off the list").click()
    expect(folder).to_have_count(0)
    assert empty.get("/roots")["roots"] == []
