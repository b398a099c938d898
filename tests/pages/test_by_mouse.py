"""An evening without a keyboard: everything that has a key has a button, too."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.pages.browser import Site, most_seen
from tests.pages.conftest import Visit
from tests.pages.screens import Groups, People, Person, Review, Screen

pytestmark = pytest.mark.depth


def newest(place: Site) -> str:
    kind: str = place.get("/decisions?limit=1")["items"][0]["kind"]
    return kind


def test_a_group_is_set_aside_and_brought_back(visit: Visit, unnamed: Site) -> None:
    """Set aside is a button of the question; the undo line's button brings the same question back."""
    review = Review(visit(unnamed, "/review"))
    expect(review.question.locator("[data-face='0'] img")).to_be_visible()
    before = review.first_picture
    review.page.locator("#answers").get_by_role("button", name="Set aside").click()
    review.goes_on(before)
    expect(review.undo_line).to_contain_text("set aside")
    assert newest(unnamed) == "set_aside"
    review.undo_by_mouse()
    expect(review.question.locator(f"[data-face='0'] img[src='{before}']")).to_be_visible()


def test_a_group_gets_a_name_from_the_list_of_groups(visit: Visit, named: Site) -> None:
    """On the page of groups one is chosen, and somebody known is taken from the proposals by a click."""
    groups = Groups(visit(named, "/groups"))
    expect(groups.groups.first).to_be_visible()
    groups.select(groups.groups.count() - 1)  # from the largest half was parted
    groups.act("Name")
    dialog = groups.page.get_by_role("dialog")
    dialog.locator(".proposals .proposal").first.click()
    expect(groups.undo_line).to_contain_text("now")
    assert newest(named) == "name_clusters"
    groups.undo_by_mouse()


def test_faces_leave_a_person(visit: Visit, named: Site) -> None:
    """Three faces are clicked and taken out; a click on Undo gives them back."""
    person = Person(visit(named, f"/people/{most_seen(named)['id']}"))
    before = person.count
    person.take_out_three()
    person.undo_by_mouse()
    person.expect_count(before)


def test_two_people_become_one_and_two_again(visit: Visit, named: Site) -> None:
    """Two cards are chosen by their corners and joined; the undo line parts them, and so does the history."""
    people = People(visit(named, "/people"))
    first, second = people.names[:2]
    people.select(first, second)
    people.act("Join: one person")
    people.page.get_by_role("dialog").get_by_role("button", name=first).click()
    expect(people.card(second)).to_have_count(0)
    people.undo_by_mouse()
    expect(people.card(second)).to_be_visible()
    history = Screen(visit(named, "/history"))
    line = history.page.locator(".decision").first
    expect(line).to_contain_text("Taken back")
    line.get_by_role("button", name=re.compile("Do it again")).click()
    expect(history.undo_line).to_contain_text("Done again")
    history.undo_by_mouse()
    assert {first, second} <= {person["name"] for person in named.get("/persons/names")["names"]}
