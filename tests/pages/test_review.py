"""The review queue in a browser: each task once by keyboard alone and once by mouse alone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.pages.browser import Complaints, Site
from tests.pages.conftest import Visit
from tests.pages.screens import Review


@pytest.mark.depth
def test_a_question_is_skipped_by_the_space_bar(visit: Visit, unnamed: Site) -> None:
    """Space shows another question and decides nothing; each says when the photo was taken and in which
    folder it is."""
    decided = unnamed.get("/decisions?limit=1")["items"]
    review = Review(visit(unnamed, "/review"))
    review.skip_to_name()
    expect(review.question.locator(".where")).to_have_text(re.compile(r".*\d{4}\S.+"))
    before = review.first_picture
    review.page.keyboard.press("Space")
    review.goes_on(before)
    assert unnamed.get("/decisions?limit=1")["items"] == decided


@pytest.mark.depth
def test_a_group_is_named_by_mouse(visit: Visit, named: Site) -> None:
    """A proposal, Set aside, Skip and Undo are buttons, so that nothing needs a keyboard."""
    review = Review(visit(named, "/review"))
    review.skip_to_name(proposed=True)
    before = review.first_picture
    review.question.locator(".proposals .proposal").first.click()
    review.goes_on(before)
    expect(review.undo_line).to_contain_text("now")
    review.undo_by_mouse()
    expect(review.question.locator(f"[data-face='0'] img[src='{before}']")).to_be_visible()


@pytest.mark.depth
def test_an_answer_that_does_not_arrive_comes_back(
    visit: Visit, unnamed: Site, complaints: Complaints
) -> None:
    """When the service is away, the question comes back with a message, and the answer can be sent again."""
    complaints.expected.append("Failed to load resource")
    review = Review(visit(unnamed, "/review"))
    review.skip_to_name()
    before = review.first_picture
    review.page.route("**/api/v1/decisions/**", lambda route: route.abort())
    review.type_name("Maria Mayer")
    expect(review.notice).to_contain_text("Not saved")
    assert review.first_picture == before
    review.page.unroute("**/api/v1/decisions/**")
    review.notice.get_by_role("button", name="Try again").click()
    expect(review.undo_line).to_contain_text("Maria Mayer now")
    expect(review.notice).to_have_count(0)
