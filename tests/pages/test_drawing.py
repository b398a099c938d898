"""A face that nobody found: its box is drawn with keys, mouse or fingers, named, moved, removed."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Route, expect

from tests.pages.accessibility import violations
from tests.pages.browser import NARROW, Complaints, Look, Site
from tests.pages.conftest import Visit
from tests.pages.screens import Photo
from tests.support.waiting import wait_until

pytestmark = pytest.mark.depth


@pytest.fixture
def photo_id(named: Site) -> str:
    """A photo with an unknown face."""
    found: str = named.get("/assets?unknown=true&limit=1")["items"][0]["asset_id"]
    return found


def drawn(place: Site, photo_id: str) -> list[tuple[str | None, float, float, float, float]]:
    """The faces of the photo that were drawn by hand: name and box, in shares of the photo."""
    faces = [face for face in place.get(f"/assets/{photo_id}/faces")["faces"] if face["by_hand"]]
    sides = [
        ("x", "photo_width"),
        ("y", "photo_height"),
        ("width", "photo_width"),
        ("height", "photo_height"),
    ]
    return [
        (face["person_name"], *(face["box"][side] / face[whole] for side, whole in sides)) for face in faces
    ]


def test_p6_a_face_is_added_moved_and_removed_by_keys(visit: Visit, named: Site, photo_id: str) -> None:
    """D draws a box, arrows place and size it, Enter takes it, letters name it; M moves, Delete removes it;
    Ctrl+Z takes all of that back one after the other."""
    photo = Photo(visit(named, f"/photos/{photo_id}"))
    photo.settled()
    photo.page.keyboard.press("Escape")
    photo.page.keyboard.press("d")
    expect(photo.draft).to_be_focused()
    for key, times in {"ArrowUp": 45, "ArrowLeft": 45, "Shift+ArrowRight": 5, "Shift+ArrowUp": 2}.items():
        for _ in range(times):
            photo.page.keyboard.press(key)
    expect(photo.page.locator("#drawing [role=status]")).to_contain_text(
        "0 % from the left, 0 % from the top"
    )
    assert violations(photo.page) == {}
    photo.page.keyboard.press("Enter")
    expect(photo.name).to_be_focused()
    photo.page.keyboard.type("Vera Rubin")
    photo.page.keyboard.press("Enter")
    expect(photo.undo_line).to_contain_text("Vera Rubin now")
    box = photo.page.get_by_role("button", name="Vera Rubin, said by a person, drawn by hand")
    (made,) = drawn(named, photo_id)
    assert made == pytest.approx(("Vera Rubin", 0, 0, 0.2, 0.1733), abs=0.002)

    box.focus()
    photo.page.keyboard.press("Escape")
    photo.page.keyboard.press("m")
    for _ in range(10):
        photo.page.keyboard.press("ArrowRight")
    photo.page.keyboard.press("Enter")
    expect(photo.undo_line).to_contain_text("A box was moved")
    assert drawn(named, photo_id)[0][:2] == pytest.approx(("Vera Rubin", 0.1), abs=0.002)
    expect(box).to_be_focused()
    photo.page.keyboard.press("Delete")
    expect(photo.undo_line).to_contain_text("A box was removed")
    assert drawn(named, photo_id) == []
    for said in ("box was removed", "box was moved", "Vera Rubin now", "A face was added"):
        photo.page.keyboard.press("Control+z")
        expect(photo.undo_line).to_contain_text(re.compile(f"Taken back:.*{said}"))
    assert drawn(named, photo_id) == []


@pytest.mark.parametrize("kind", ["add", "move"])
@pytest.mark.parametrize("said", ["A box was removed", "Emmy Noether now"])
@pytest.mark.parametrize("is_first_lost", [False, True])
def test_what_is_said_of_a_face_that_is_on_its_way_waits(
    visit: Visit,
    complaints: Complaints,
    named: Site,
    photo_id: str,
    *,
    kind: str,
    said: str,
    is_first_lost: bool,
) -> None:
    """Delete, or a name, that comes while a box is added or moved goes to the face that the service makes,
    also where the box had to be sent again."""
    photo = Photo(visit(named, f"/photos/{photo_id}"))
    photo.settled()
    by_hand = photo.page.locator("#canvas .box.by-hand")

    def press(*keys: str) -> None:
        for key in keys:
            photo.page.keyboard.press(key)

    def draw() -> None:
        press("Escape", "d", "Enter")

    if kind == "move":
        draw()
        expect(photo.undo_line).to_contain_text("A face was added")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    def looked() -> list[Route]:
        photo.page.wait_for_timeout(10)  # requests come to their handlers while Playwright waits
        return held

    def request() -> Route:
        wait_until(looked)
        return held.pop()

    photo.page.route(f"**/decisions/{kind}-face", hold)
    if kind == "add":
        draw()
    else:
        by_hand.focus()
        press("Escape", "m", "ArrowLeft", "Enter")
    current = photo.page.locator("#in-photo [aria-current=true]")
    expect(current).to_contain_text("A moment")
    if is_first_lost:
        complaints.expected.append("ERR_FAILED")
        request().abort()
        photo.page.get_by_role("button", name="Try again").click()
        expect(current).to_contain_text("A moment")
    if said == "A box was removed":
        by_hand.focus()
        press("Delete")
    else:
        photo.name.fill("Emmy Noether")
        photo.name.press("Enter")
    request().continue_()
    expect(photo.undo_line).to_contain_text(said)
    if said == "Emmy Noether now":
        assert [name for name, *_ in drawn(named, photo_id)] == ["Emmy Noether"]
        by_hand.focus()
        press("Delete")
        expect(photo.undo_line).to_contain_text("A box was removed")
    assert drawn(named, photo_id) == []


@pytest.mark.parametrize("name", ["Doris Dörrie", "Mae Jemison", "Bessie Coleman"])
def test_names_may_begin_with_a_letter_that_is_a_key(
    visit: Visit, named: Site, photo_id: str, name: str
) -> None:
    """In the empty field D begins no box, M moves none, and B hides none: they begin a name."""
    photo = Photo(visit(named, f"/photos/{photo_id}"))
    photo.settled()
    for key in ("Escape", "d", "Enter"):
        photo.page.keyboard.press(key)
    expect(photo.undo_line).to_contain_text("A face was added")
    expect(photo.name).to_be_focused()
    photo.page.keyboard.type(name)
    expect(photo.name).to_have_value(name)
    photo.page.keyboard.press("Enter")
    expect(photo.undo_line).to_contain_text(f"{name} now")
    for said in (f"{name} now", "A face was added"):
        photo.page.keyboard.press("Control+z")
        expect(photo.undo_line).to_contain_text(re.compile(f"Taken back:.*{said}"))
    assert drawn(named, photo_id) == []


def test_a_mouse_draws_and_letters_name(visit: Visit, named: Site, photo_id: str) -> None:
    """A box dragged over the photo is a face at once; what is typed next is its name, and Enter gives it."""
    photo = Photo(visit(named, f"/photos/{photo_id}"))
    photo.settled()
    photo.page.mouse.move(*photo.at(0.9, 0.9))
    photo.page.mouse.down()
    photo.page.mouse.move(*photo.at(0.7, 0.7), steps=4)
    photo.page.mouse.up()
    expect(photo.name).to_be_focused()
    photo.page.keyboard.type("Jocelyn Bell")
    photo.page.keyboard.press("Enter")
    expect(photo.undo_line).to_contain_text("Jocelyn Bell now")
    assert drawn(named, photo_id) == [pytest.approx(("Jocelyn Bell", 0.7, 0.7, 0.2, 0.2), abs=0.01)]
    photo.undo_by_mouse()
    unnamed = photo.page.get_by_role("button", name="Unknown face, drawn by hand")
    expect(unnamed).to_be_visible()
    photo.page.locator("#undo button").click()
    expect(
        photo.page.get_by_role("button", name="Jocelyn Bell, said by a person, drawn by hand")
    ).to_be_visible()
    photo.page.locator("#in-photo").get_by_role("button", name="Remove the box").click()
    expect(photo.undo_line).to_contain_text("A box was removed")
    assert drawn(named, photo_id) == []


def test_two_taps_draw(visit: Visit, named: Site, photo_id: str) -> None:
    """On a phone two taps are the corners of the box, a button takes it, and nothing sticks out."""
    photo = Photo(visit(named, f"/photos/{photo_id}", Look(NARROW, touch=True)))
    photo.settled()
    photo.page.get_by_role("button", name="Add a face").tap()
    photo.page.touchscreen.tap(*photo.at(0.1, 0.6))
    expect(photo.page.locator("#drawing")).to_contain_text("opposite corner")
    photo.page.touchscreen.tap(*photo.at(0.3, 0.9))
    assert not photo.sticks_out()
    photo.page.get_by_role("button", name="Take this box").tap()
    expect(photo.undo_line).to_contain_text("A face was added")
    assert drawn(named, photo_id) == [pytest.approx((None, 0.1, 0.6, 0.2, 0.3), abs=0.01)]
    photo.page.locator("#in-photo [aria-current=true]").get_by_role("button", name="Remove the box").tap()
    expect(photo.undo_line).to_contain_text("A box was removed")
    assert drawn(named, photo_id) == []
