"""The questions that follow from suggestions, in a browser: two people?, a page to tick off, a birth date."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect
from sqlalchemy import delete, select

from image_search_service.core.config import Settings
from image_search_service.db.models import FaceInstance, FaceSuggestion
from image_search_service.library.opening import open_library
from tests.pages.browser import NARROW, Look, Site, most_seen, site
from tests.pages.conftest import Visit
from tests.pages.demo_libraries import DemoLibraries
from tests.pages.screens import Review, Screen
from tests.support.copies import copy_library
from tests.support.served import no_bar

SURE, CLOSE = 24, 12
LEAST, WRONG = 8, 5
"""Faces on the page at least; and so many wrong ones as make the birth date worth a question."""
pytestmark = pytest.mark.depth


@pytest.fixture
def waiting(demo: DemoLibraries, tmp_path: Path) -> Iterator[Site]:
    """A served library in which faces wait for the person with most faces, some of them as like another."""
    folder = tmp_path / "library"
    copy_library(demo.named, folder)
    with (
        open_library(Settings(library=folder, offline=True), lambda _: None, no_bar) as library,
        library.database.write() as session,
    ):
        session.execute(delete(FaceSuggestion))
        named = session.scalars(select(FaceInstance.person_id).where(FaceInstance.person_id.is_not(None)))
        persons = list(named)
        first, second = sorted(set(persons), key=lambda person: (-persons.count(person), person))[:2]
        unnamed = select(FaceInstance.id).where(FaceInstance.person_id.is_(None)).order_by(FaceInstance.id)
        session.add_all(
            FaceSuggestion(
                face_instance_id=face,
                person_id=first,
                state="pending",
                source="centroid",
                evidence=[],
                confidence=0.9 if number < SURE else 0.62,
                second_person_id=second,
                second_similarity=0.1 if number < SURE else 0.61,
                margin=0.8 if number < SURE else 0.01,
            )
            for number, face in enumerate(session.scalars(unnamed.limit(SURE + CLOSE)))
        )
    with site(folder) as served:
        yield served


def last_decision(place: Site) -> tuple[str, int]:
    newest = place.get("/decisions?limit=1")["items"][0]
    return newest["kind"], newest["faces"]


def all_ticked(review: Review) -> int:
    """How many faces are on the page, all of them ticked, as the button says that answers for them."""
    label = review.page.get_by_role("button", name=re.compile(r"^All \d+ are"))
    number = re.search(r"\d+", label.inner_text())
    assert number is not None
    assert int(number[0]) >= LEAST
    return int(number[0])


def test_two_people_a_page_and_a_birth_date_by_keyboard(waiting: Site, visit: Visit) -> None:
    """Two look-alikes are said to be two by one key; of a page five faces are unticked, and Enter answers for
    all; then the birth date is asked for, since many were wrong. Ctrl+Z brings the last question back."""
    review = Review(visit(waiting, "/review"))
    page = review.page
    review.skip_to("One person or two?")
    page.keyboard.press("n")
    expect(review.undo_line).to_contain_text("are two people")
    review.skip_to("Untick whoever is not")
    ticked = page.locator("#question .ticks-grid [aria-selected=true]")
    shown = all_ticked(review)
    expect(ticked).to_have_count(shown)
    for _ in range(WRONG):
        page.keyboard.press("x")
        page.keyboard.press("ArrowRight")
    expect(ticked).to_have_count(shown - WRONG)
    page.keyboard.press("Enter")
    expect(review.undo_line).to_contain_text(f"{WRONG} are not")
    assert last_decision(waiting) == ("answer", shown)
    review.skip_to("When was")
    page.locator("#born").fill("1990-05-01")
    page.keyboard.press("Enter")
    expect(review.undo_line).to_contain_text("was born on")
    review.undo_by_key()
    expect(review.heading).to_contain_text("When was")


def test_all_suggestions_of_a_person_take_few_keys(waiting: Site, visit: Visit) -> None:
    """On a person's page 24 are answered by one Enter, and what would be left alone comes along: fifty, three
    of which are unticked, are five keys."""
    person = most_seen(waiting)["id"]
    screen = Screen(visit(waiting, f"/people/{person}#suggestions"))
    entered, left = 0, waiting.get(f"/persons/{person}/suggestions")["total"]
    most = max(1, math.ceil((left - 6) / 24))
    while left:
        expect(screen.page.locator("#panel .cell").first).to_be_visible()
        shown = screen.page.locator("#panel .cell").count()
        assert shown == (24 if left > 30 else left)
        first = screen.page.locator("#panel .cell").first.element_handle()
        screen.page.keyboard.press("Enter")
        screen.page.wait_for_function("(one) => !one.isConnected", arg=first)
        entered, left = entered + 1, waiting.get(f"/persons/{person}/suggestions")["total"]
    assert entered <= most


def test_a_page_is_ticked_off_by_touch(waiting: Site, visit: Visit) -> None:
    """On a telephone a tap unticks a face, and buttons say the rest."""
    review = Review(visit(waiting, "/review", Look(NARROW)))
    page = review.page
    review.skip_to("One person or two?")
    page.get_by_role("button", name="Two people").click()
    review.skip_to("Untick whoever is not")
    ticked = page.locator("#question .ticks-grid [aria-selected=true]")
    shown = all_ticked(review)
    expect(ticked).to_have_count(shown)
    page.locator("#question .ticks-grid .cell").first.click()
    expect(ticked).to_have_count(shown - 1)
    page.get_by_role("button", name="Say nothing of the others").click()
    expect(review.undo_line).to_contain_text("now")
    review.undo_by_mouse()
    expect(review.heading).to_contain_text("Untick whoever is not")
