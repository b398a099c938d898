"""The screens beside the queue: what one does on each of them."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.pages.browser import Complaints, Site
from tests.pages.conftest import Visit
from tests.pages.screens import MOST_NODES, Groups, People, Person, Photo, Photos, Screen


def most_seen(site: Site) -> dict[str, Any]:
    """The person with most faces."""
    people: list[dict[str, Any]] = site.get("/persons?order=faces&limit=1")["items"]
    return people[0]


def test_people_are_renamed_hidden_and_joined(visit: Visit, named: Site) -> None:
    """On the page of people one gets another name, one is hidden, two become one, and each is taken back."""
    people = People(visit(named, "/people"))
    names = people.names
    first, second, third = names[:3]
    people.select(first)
    people.act("Rename")
    people.page.get_by_label(f"Name of {first}").fill("Ada Lovelace")
    people.page.keyboard.press("Enter")
    expect(people.card("Ada Lovelace")).to_be_visible()
    expect(people.undo_line).to_contain_text("Ada Lovelace now")
    people.undo_by_key()
    expect(people.card(first)).to_be_visible()
    people.select_nothing()

    people.select(second)
    people.act("Hide")
    expect(people.card(second)).to_have_count(0)
    expect(people.undo_line).to_contain_text(second)
    people.undo_by_key()
    expect(people.card(second)).to_be_visible()

    people.select(first, third)
    people.act("Join: one person")
    people.page.get_by_role("dialog").get_by_role("button", name=first).click()
    expect(people.card(third)).to_have_count(0)
    expect(people.undo_line).to_contain_text(f"{first} now")
    people.undo_by_key()
    expect(people.card(third)).to_be_visible()


def test_three_faces_leave_a_person(visit: Visit, named: Site) -> None:
    """Three selected faces are taken out together, which is undone, and another one becomes the cover."""
    somebody = most_seen(named)
    person = Person(visit(named, f"/people/{somebody['id']}"))
    before = person.count
    for at in range(3):
        person.faces.nth(at).click()
    person.act("Not ")
    person.expect_count(before - 3)
    expect(person.undo_line).to_contain_text("3 faces are not")
    person.undo_by_key()
    person.expect_count(before)
    person.settled()
    person.faces.nth(2).click()
    person.page.keyboard.press("c")
    expect(person.undo_line).to_contain_text("another cover")
    face = named.get(f"/persons/{somebody['id']}/faces?order=date&limit=3")["items"][2]
    assert named.get(f"/persons/{somebody['id']}")["cover_face_id"] == face["id"]


@pytest.mark.depth
def test_several_groups_are_named_or_set_aside(visit: Visit, unnamed: Site) -> None:
    """Groups that are selected get one name, or are set aside, by one decision."""
    groups = Groups(visit(unnamed, "/groups"))
    expect(groups.groups.nth(3)).to_be_visible()
    groups.select(0, 1)
    groups.act("Name together")
    groups.page.get_by_role("dialog").get_by_role("combobox").fill("Dorothy Hodgkin")
    groups.page.keyboard.press("Enter")
    expect(groups.undo_line).to_contain_text("Dorothy Hodgkin now")
    groups.undo_by_key()
    groups.settled()
    groups.select(0, 1)
    groups.act("Set aside")
    expect(groups.undo_line).to_contain_text("2 groups set aside")
    groups.undo_by_key()


def test_a_face_in_a_photo_is_named_by_keyboard(visit: Visit, named: Site) -> None:
    """Each face has its box; on an unknown one letters and Enter give a name, Ctrl+Z takes it back."""
    listed = named.get("/assets?unknown=true&limit=1")["items"][0]["asset_id"]
    faces = named.get(f"/assets/{listed}/faces")["faces"]
    photo = Photo(visit(named, f"/photos/{listed}"))
    expect(photo.boxes).to_have_count(len(faces))
    at = next(at for at, face in enumerate(faces) if face["person_id"] is None)
    photo.boxes.nth(at).focus()
    photo.page.keyboard.type("Chien-Shiung Wu")
    expect(photo.name).to_have_value("Chien-Shiung Wu")
    photo.page.keyboard.press("Enter")
    expect(photo.undo_line).to_contain_text("Chien-Shiung Wu now")
    expect(photo.boxes.nth(at)).to_have_accessible_name("Chien-Shiung Wu, said by a person")
    photo.undo_by_key()
    expect(photo.boxes.nth(at)).to_have_accessible_name("Unknown face")


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
