"""What somebody does every day, in a browser: getting in, naming groups by keyboard, putting people right.

All of it in one file, so that one process of ``make test`` makes the libraries and starts the services; the
other files of this folder go deeper, in ``make test-all``.
"""

from __future__ import annotations

from playwright.sync_api import Browser, expect

from tests.pages.browser import PATIENCE, Complaints, Site, most_seen, persons
from tests.pages.conftest import Visit
from tests.pages.screens import People, Person, Photo, Review
from tests.support.waiting import wait_until

NAMES = ("Ada Lovelace", "Grace Hopper", "Emmy Noether", "Mary Cartwright", "Rosalind Franklin")


def test_the_token_leaves_the_address(browser: Browser, named: Site, complaints: Complaints) -> None:
    """The address with the token leads to the first screen; the token becomes a cookie that scripts cannot
    read, and leaves the address."""
    with browser.new_context() as visitor:
        visitor.set_default_timeout(PATIENCE)
        page = visitor.new_page()
        complaints.watch(page)
        page.goto(f"{named.address}/?token={named.token}")
        expect(page).to_have_url(f"{named.address}/review")
        cookies = [one for one in visitor.cookies() if one["value"] == named.token]
        assert [(one["httpOnly"], one["sameSite"]) for one in cookies] == [(True, "Strict")]
        assert named.token not in page.evaluate("() => document.cookie + location.href + document.referrer")
        page.goto(f"{named.address}/people")
        expect(page.locator("#people .cell").first).to_be_visible()
    assert not complaints.unexpected


def test_five_groups_are_named_by_keyboard(visit: Visit, unnamed: Site) -> None:
    """Five groups get names without a mouse, each by its name and Enter; typed once more it is the same
    person; Ctrl+Z takes the last ones back."""
    review = Review(visit(unnamed, "/review"))
    for name in NAMES:
        review.skip_to_name()
        before = review.first_picture
        review.type_name(name)
        review.goes_on(before)
        expect(review.undo_line).to_contain_text(f"{name} now")
    assert persons(unnamed) >= set(NAMES)
    review.skip_to_name()
    before = review.first_picture
    review.type_name(NAMES[-1])
    review.goes_on(before)
    expect(review.notice).to_have_count(0)
    review.undo_by_key()
    review.page.keyboard.press("Control+z")
    wait_until(lambda: NAMES[-1] not in persons(unnamed))


def test_a_known_person_takes_one_key(visit: Visit, named: Site) -> None:
    """A group that somebody known is proposed for is theirs after one key: the number beside the proposal."""
    review = Review(visit(named, "/review"))
    review.skip_to_name(proposed=True)
    before = review.first_picture
    review.page.keyboard.press("1")
    review.goes_on(before)
    expect(review.undo_line).to_contain_text("now")
    assert named.get("/decisions?limit=1")["items"][0]["kind"] == "name_clusters"


def test_a_group_that_changed_keeps_the_answer(visit: Visit, unnamed: Site, complaints: Complaints) -> None:
    """An answer about a group that somebody else has changed is kept, and can be given all the same."""
    complaints.expected.append("409")
    review = Review(visit(unnamed, "/review"))
    review.skip_to_name()
    before = review.first_picture
    face = before.split("/faces/")[1].split("/")[0]
    unnamed.decide("not-a-face", {"face_ids": [face]})
    review.type_name("Lise Meitner")
    expect(review.notice).to_contain_text("Your answer is kept here")
    assert "Lise Meitner" not in persons(unnamed)
    review.notice.get_by_role("button").first.click()
    expect(review.undo_line).to_contain_text("Lise Meitner now")
    assert "Lise Meitner" in persons(unnamed)


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
    person.take_out_three()
    person.undo_by_key()
    person.expect_count(before)
    person.settled()
    person.faces.nth(2).click()
    person.page.keyboard.press("c")
    expect(person.undo_line).to_contain_text("another cover")
    face = named.get(f"/persons/{somebody['id']}/faces?order=date&limit=3")["items"][2]
    assert named.get(f"/persons/{somebody['id']}")["cover_face_id"] == face["id"]


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
