"""A photo is looked at closely: by wheel, fingers, double click and keys; its boxes stay on their faces."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.pages.accessibility import violations
from tests.pages.browser import NARROW, Look, Site
from tests.pages.conftest import Visit
from tests.pages.screens import Photo

pytestmark = pytest.mark.depth
SEEN = """(one) => {
  const [inner, outer] = [one, document.querySelector('#view')].map((each) => each.getBoundingClientRect());
  const within = (first, last, low, high) => first > low - 2 && last < high + 2 || last - first > high - low;
  return within(inner.left, inner.right, outer.left, outer.right)
    && within(inner.top, inner.bottom, outer.top, outer.bottom);
}"""
"""Whether a box is in the place that the photo is shown in, unless it is larger than that."""


@pytest.fixture
def photo_id(named: Site) -> str:
    """A photo with an unknown face."""
    found: str = named.get("/assets?unknown=true&limit=1")["items"][0]["asset_id"]
    return found


def opened(visit: Visit, place: Site, photo_id: str, look: Look | None = None) -> Photo:
    photo = Photo(visit(place, f"/photos/{photo_id}", look))
    photo.settled()
    photo.page.keyboard.press("Escape")
    return photo


def scale(page: Page) -> float:
    """How large the photo is shown, 1 being whole."""
    return float(page.locator("#canvas").evaluate("(one) => one.style.getPropertyValue('--zoom') || '1'"))


def box_in_photo(photo: Photo) -> list[float]:
    """The first box, in shares of the photo as it is on the screen."""
    inner, outer = photo.boxes.first.bounding_box(), photo.page.locator("#canvas").bounding_box()
    assert inner is not None
    assert outer is not None
    return [
        (inner["x"] - outer["x"]) / outer["width"],
        (inner["y"] - outer["y"]) / outer["height"],
        inner["width"] / outer["width"],
        inner["height"] / outer["height"],
    ]


def test_a_photo_is_enlarged_and_moved_by_keys(visit: Visit, named: Site, photo_id: str) -> None:
    """Plus enlarges, arrows look around, a box that gets the focus is brought into view, minus and 0 lead
    back; the help lists the keys, and nothing of it is hidden from screen readers."""
    photo = opened(visit, named, photo_id)
    before = box_in_photo(photo)
    for _ in range(4):
        photo.page.keyboard.press("+")
    assert scale(photo.page) == pytest.approx(1.5**4)
    expect(photo.page.locator("#scale")).to_have_text("506 %")
    assert box_in_photo(photo) == pytest.approx(before, abs=0.01)
    left = photo.at(0, 0)
    photo.page.keyboard.press("ArrowRight")
    photo.page.keyboard.press("ArrowDown")
    assert photo.at(0, 0)[0] < left[0]
    assert photo.at(0, 0)[1] < left[1]
    assert photo_id in photo.page.url
    for box in photo.boxes.all():
        box.focus()
        assert box.evaluate(SEEN)
    assert not violations(photo.page)
    photo.page.keyboard.press("-")
    assert scale(photo.page) == pytest.approx(1.5**3)
    photo.page.keyboard.press("0")
    assert scale(photo.page) == 1
    expect(photo.page.locator("#scale")).to_be_empty()
    photo.page.keyboard.press("?")
    expect(photo.page.get_by_role("dialog")).to_contain_text("While it is larger: look around")
    expect(photo.page.get_by_role("dialog")).to_contain_text(re.compile(r"Larger\s*\+"))


def test_a_photo_is_enlarged_and_moved_by_mouse(visit: Visit, named: Site, photo_id: str) -> None:
    """The wheel enlarges what is under the pointer, which stays there; dragging moves the photo and draws no
    box; a double click shows the whole photo, and another one a part of it; buttons do the same."""
    photo = opened(visit, named, photo_id)
    photo.page.mouse.move(*photo.at(0.5, 0.5))
    for _ in range(5):
        photo.page.mouse.wheel(0, -120)
    expect(photo.page.locator("#scale")).to_have_text("261 %")
    place = photo.at(0.55, 0.6)
    photo.page.mouse.move(*place)
    photo.page.mouse.wheel(0, -240)
    expect(photo.page.locator("#scale")).to_have_text("383 %")
    assert photo.at(0.55, 0.6) == pytest.approx(place, abs=1)
    photo.page.mouse.down()
    photo.page.mouse.move(place[0] + 80, place[1] - 50, steps=8)
    photo.page.mouse.up()
    assert photo.at(0.55, 0.6) == pytest.approx((place[0] + 80, place[1] - 50), abs=1)
    expect(photo.draft).to_have_count(0)
    photo.page.mouse.dblclick(*place)
    assert scale(photo.page) == 1
    photo.page.mouse.dblclick(*photo.at(0.02, 0.98))
    assert scale(photo.page) == 3
    photo.page.get_by_role("button", name="Larger").click()
    assert scale(photo.page) == 4.5
    for _ in range(4):
        photo.page.get_by_role("button", name="Smaller").click()
    assert scale(photo.page) == 1
    expect(photo.page.get_by_role("button", name="Larger")).to_be_focused()


def test_a_box_is_drawn_on_an_enlarged_photo(visit: Visit, named: Site, photo_id: str) -> None:
    """It begins in the middle of what is seen, and where it is drawn is where the face is."""
    photo = opened(visit, named, photo_id)
    photo.page.mouse.dblclick(*photo.at(0.02, 0.98))
    photo.page.keyboard.press("d")
    expect(photo.draft).to_be_in_viewport()
    photo.page.mouse.move(*photo.at(0.1, 0.8))
    photo.page.mouse.down()
    photo.page.mouse.move(*photo.at(0.2, 0.9), steps=4)
    photo.page.mouse.up()
    expect(photo.undo_line).to_contain_text("A face was added")
    (face,) = [one for one in named.get(f"/assets/{photo_id}/faces")["faces"] if one["by_hand"]]
    box = face["box"]
    assert box["x"] / face["photo_width"] == pytest.approx(0.1, abs=0.01)
    assert box["width"] / face["photo_width"] == pytest.approx(0.1, abs=0.01)
    photo.undo_by_mouse()


def test_fingers_enlarge_and_move(visit: Visit, named: Site, photo_id: str) -> None:
    """Two fingers that part enlarge the photo, one moves it, and the page stays where it is."""
    photo = opened(visit, named, photo_id, Look(NARROW, touch=True))
    touch = photo.page.context.new_cdp_session(photo.page)

    def fingers(kind: str, *points: tuple[float, float]) -> None:
        at = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})

    x, y = photo.at(0.5, 0.5)
    fingers("touchStart", (x - 20, y))
    fingers("touchStart", (x - 20, y), (x + 20, y))
    for apart in range(25, 65, 5):
        fingers("touchMove", (x - apart, y), (x + apart, y))
    fingers("touchEnd")
    assert scale(photo.page) == pytest.approx(3, abs=0.3)
    assert photo.at(0.5, 0.5) == pytest.approx((x, y), abs=3)
    expect(photo.page.get_by_role("button", name="Smaller")).to_be_visible()
    assert not photo.sticks_out()
    fingers("touchStart", (x, y))
    for far in range(5, 50, 5):
        fingers("touchMove", (x - far, y - far / 2))
    fingers("touchEnd")
    assert photo.at(0.5, 0.5)[0] == pytest.approx(x - 45, abs=3)
    assert photo.page.evaluate("() => scrollY") == 0
    assert not violations(photo.page)
