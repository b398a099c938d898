"""Two people of one name in the pages: asked for, told apart, undone."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.pages.browser import Complaints, Site, most_seen
from tests.pages.conftest import Visit
from tests.pages.screens import Groups, Person


@pytest.mark.depth
def test_s12_another_of_that_name(visit: Visit, named: Site) -> None:
    """Whoever types a name that somebody has chooses that person, shown with note and photo, or another one
    of that name. Photos, the history and the search field show the note, too."""
    person = most_seen(named)
    page = Person(visit(named, f"/people/{person['id']}")).page
    page.get_by_role("button", name="Note").click()
    page.get_by_role("dialog").get_by_label("Note").fill("the cousin")
    page.get_by_role("button", name="Keep it").click()
    expect(page.locator("#head")).to_contain_text("the cousin")
    groups = Groups(visit(named, "/groups"))
    field = groups.groups.first.get_by_role("combobox")
    field.fill(person["name"])
    options = groups.groups.first.get_by_role("option")
    expect(options.filter(has_text="the cousin").locator("img")).to_be_visible()
    options.filter(has_text=f"Another {person['name']}").click()
    expect(groups.undo_line).to_contain_text(f"{person['name']} now")
    both = [one for one in named.get("/persons/names")["names"] if one["name"] == person["name"]]
    assert len(both) == 2
    photo = named.get(f"/assets?person_id={person['id']}&limit=1")["items"][0]["asset_id"]
    for path, place in {f"/photos/{photo}": "#in-photo", "/history": ".decision .said"}.items():
        shown = visit(named, path)
        expect(shown.locator(place).filter(has_text="the cousin").first).to_be_visible()
    shown.locator("#find").fill(person["name"])
    expect(shown.locator("#found [role=option]").filter(has_text="the cousin")).to_have_count(1)
    groups.undo_by_key()


@pytest.mark.depth
def test_s6_undo_into_a_taken_name(visit: Visit, named: Site, complaints: Complaints) -> None:
    """Undoing a deletion into a name that somebody was given since says who, and offers another of it."""
    complaints.expected.append("409")
    made = named.decide("create-person", {"name": "Sophie Kowalevski"})
    named.decide("delete-person", {"person_id": made["person_id"]})
    named.decide("create-person", {"name": "Sophie Kowalevski"})
    page = Groups(visit(named, "/history")).page
    line = page.locator(".decision").nth(1)
    line.get_by_role("button").click()
    expect(page.locator("#notices")).to_contain_text("Somebody is called Sophie Kowalevski already.")
    page.locator("#notices").get_by_role("button", name="Another Sophie Kowalevski").click()
    expect(page.locator(".decision").nth(2)).to_contain_text("taken back")
    both = [one for one in named.get("/persons/names")["names"] if one["name"] == "Sophie Kowalevski"]
    assert len(both) == 2
