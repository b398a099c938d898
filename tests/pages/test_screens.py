"""The screens beside the queue: what one does on each of them."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.pages.browser import Complaints, Site, most_seen
from tests.pages.conftest import Visit
from tests.pages.screens import MOST_NODES, Groups, People, Photos, Screen


@pytest.mark.depth
def test_several_groups_are_named_or_set_aside(visit: Visit, unnamed: Site) -> None:
    """Groups that are selected get one name, or are set aside, by one decision."""
    groups = Groups(visit(unnamed, "/groups"))
    expect(groups.groups.nth(3)).to_be_visible()
    first, number = groups.first_picture_of(0), groups.all_of_them.inner_text()
    groups.select(0, 1)
    groups.act("Name together")
    groups.page.get_by_role("dialog").get_by_role("combobox").fill("Dorothy Hodgkin")
    groups.page.keyboard.press("Enter")
    expect(groups.undo_line).to_contain_text("Dorothy Hodgkin now")
    groups.undo_by_key()
    groups.settled()
    expect(groups.all_of_them).to_have_text(number)
    expect(groups.groups.first.locator("img").first).to_have_attribute("src", first)
    groups.select(0, 1)
    groups.act("Set aside")
    expect(groups.undo_line).to_contain_text("2 groups set aside")
    groups.undo_by_key()


@pytest.mark.depth
def test_photos_are_filtered_and_windowed(visit: Visit, named: Site) -> None:
    """The wall holds few elements from its beginning to its end, and a person in the address filters it."""
    photos = Photos(visit(named, "/photos"))
    expect(photos.tiles.first).to_be_visible()
    everything = photos.total
    assert everything == named.get("/assets?limit=1")["total"]
    for place in ("0", "document.body.scrollHeight / 2", "document.body.scrollHeight"):
        photos.page.evaluate(f"scrollTo(0, {place})")
        photos.settled()
        assert photos.nodes() <= MOST_NODES
    person = most_seen(named)
    only = Photos(visit(named, f"/photos?person_id={person['id']}"))
    expect(only.page.locator("#filters")).to_contain_text(person["name"])
    assert only.total == named.get(f"/assets?person_id={person['id']}&limit=1")["total"] < everything


@pytest.mark.depth
def test_the_history_takes_back(visit: Visit, named: Site) -> None:
    """A line of the history has a button that takes its decision back, and the line then says so."""
    made = named.decide("create-person", {"name": "Sophie Germain"})
    history = Screen(visit(named, "/history"))
    line = history.page.locator(".decision").filter(has_text="Sophie Germain was added")
    line.get_by_role("button").click()
    expect(history.page.locator(".decision.taken-back").filter(has_text="Sophie Germain")).to_be_visible()
    assert named.get("/decisions?limit=1")["items"][0]["undoes"] == made["decision_id"]


@pytest.mark.depth
def test_the_history_of_a_person_and_of_an_author(visit: Visit, named: Site) -> None:
    """The history shows faces, and is filtered by somebody who is named and by who decided."""
    somebody = most_seen(named)
    ours = named.get(f"/decisions?subject_id={somebody['id']}")["total"]
    history = Screen(visit(named, "/history"))
    expect(history.page.locator(".decision .pictures img").first).to_be_visible()
    history.page.keyboard.press("p")
    history.page.get_by_role("dialog").get_by_role("combobox").fill(somebody["name"])
    history.page.keyboard.press("Enter")
    expect(history.page).to_have_url(f"{named.address}/history?person_id={somebody['id']}")
    expect(history.page.locator(".decision")).to_have_count(ours)
    expect(history.page.locator("#about")).to_contain_text(somebody["name"])
    history.page.get_by_role("button", name=f"Remove {somebody['name']}").click()
    expect(history.page).to_have_url(f"{named.address}/history")
    other = visit(named, "/history?actor=nobody")
    expect(other.locator("#history")).to_contain_text("Nothing was said here")


@pytest.mark.depth
def test_a_refused_answer_is_taken_back(visit: Visit, named: Site, complaints: Complaints) -> None:
    """A name that the service refuses leaves the old one on the screen, with the reason."""
    complaints.expected.append("400")
    complaints.expected.append("422")
    people = People(visit(named, "/people"))
    first = people.names[0]
    people.page.route(
        "**/api/v1/decisions/rename-person",
        lambda route: route.continue_(post_data='{"person_id": "nobody", "name": "Ada"}'),
    )
    people.select(first)
    people.act("Rename")
    people.page.get_by_label(f"Name of {first}").fill("Ada Byron")
    people.page.keyboard.press("Enter")
    expect(people.notice).to_be_visible()
    expect(people.card(first)).to_be_visible()
    expect(people.card("Ada Byron")).to_have_count(0)
