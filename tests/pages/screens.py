"""Page objects: what a person sees and does on a screen, in words of the screen."""

from __future__ import annotations

import re
from dataclasses import dataclass

from playwright.sync_api import Locator, Page, expect

MOST_NODES = 600
"""Elements in the document at any place of a list, as the pages promise."""


@dataclass(frozen=True, slots=True)
class Screen:
    """What every screen has."""

    page: Page

    @property
    def undo_line(self) -> Locator:
        return self.page.locator("#undo output")

    @property
    def notice(self) -> Locator:
        return self.page.locator("#notices .notice")

    @property
    def heading(self) -> Locator:
        return self.page.locator("h1")

    def undo_by_key(self) -> None:
        self.page.keyboard.press("Control+z")
        expect(self.undo_line).to_contain_text("Taken back")

    def undo_by_mouse(self) -> None:
        self.page.locator("#undo button").click()
        expect(self.undo_line).to_contain_text("Taken back")

    def act(self, label: str) -> None:
        """Press a button of the bar about what is selected."""
        self.page.locator("#actions").get_by_role("button", name=label).click()

    def select_nothing(self) -> None:
        self.page.keyboard.press("Escape")
        expect(self.page.locator("#actions")).to_be_hidden()

    def settled(self) -> None:
        """What the screen asks for has come: its parts are not busy any more, and its pictures are there."""
        self.page.wait_for_function("() => !document.querySelector('[aria-busy=true], .wall .bone')")
        self.page.wait_for_function(
            "() => [...document.images].every((one) => one.complete || one.loading === 'lazy')"
        )

    def sticks_out(self) -> list[str]:
        """Elements that reach beyond the window's edge, if the page can be scrolled sideways."""
        found: list[str] = self.page.evaluate(
            """() => document.documentElement.scrollWidth <= innerWidth ? [] :
                 [...document.querySelectorAll('body *')]
                   .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
                   .map((one) => `${one.tagName} ${one.className} ${one.textContent.slice(0, 40)}`)"""
        )
        return found

    def nodes(self) -> int:
        """How many elements are in the document's content."""
        count: int = self.page.evaluate("() => document.querySelectorAll('main *').length")
        return count


@dataclass(frozen=True, slots=True)
class Review(Screen):
    """The queue of questions."""

    @property
    def question(self) -> Locator:
        return self.page.locator("#question .question")

    @property
    def name(self) -> Locator:
        return self.question.get_by_role("combobox")

    @property
    def first_picture(self) -> str:
        """Tells one question from another."""
        return self.question.locator("[data-face='0'] img").get_attribute("src") or ""

    def goes_on(self, before: str) -> None:
        """Another question is shown, or none is left."""
        expect(self.page.locator(f"#question [data-face='0'] img[src='{before}']")).to_have_count(0)

    def skip_to_name(self, *, proposed: bool = False) -> None:
        """Skip by key until a group is asked about; proposed: one that somebody is proposed for."""
        wanted = self.question.locator(".proposals .proposal" if proposed else "[data-face='0']")
        any_question = self.page.locator("#answers button").first
        for _ in range(30):
            expect(any_question).to_be_visible()
            if wanted.count():
                return
            asked = self.page.locator("#question > *").element_handle()
            self.page.keyboard.press("s" if self.page.locator("#question .ticks-grid").count() else "Space")
            self.page.wait_for_function("(asked) => !asked.isConnected", arg=asked)
        raise AssertionError("no such group was asked about")

    def skip_to(self, heading: str) -> None:
        """Skip by button until a question of this heading is asked."""
        for _ in range(30):
            expect(self.page.locator("#answers button").first).to_be_visible()
            if heading in self.heading.inner_text():
                return
            asked = self.page.locator("#question > *").element_handle()
            self.page.locator("#answers").get_by_role("button", name=re.compile("Skip|Not sure")).click()
            self.page.wait_for_function("(asked) => !asked.isConnected", arg=asked)
        raise AssertionError(f"{heading}: this was not asked")

    def type_name(self, name: str) -> None:
        self.page.keyboard.type(name)
        expect(self.name).to_have_value(name)
        self.page.keyboard.press("Enter")


@dataclass(frozen=True, slots=True)
class People(Screen):
    """Everybody who has a name."""

    @property
    def cards(self) -> Locator:
        return self.page.locator("#people .cell")

    def card(self, name: str) -> Locator:
        named = self.page.get_by_role("link", name=name, exact=True)
        return self.cards.filter(has=named)

    def select(self, *names: str) -> None:
        for name in names:
            self.card(name).locator(".corner").click()
            expect(self.card(name)).to_have_attribute("aria-selected", "true")

    @property
    def names(self) -> list[str]:
        expect(self.cards.first).to_be_visible()
        self.settled()
        return self.cards.locator("h2").all_inner_texts()


@dataclass(frozen=True, slots=True)
class Person(Screen):
    """One person's faces."""

    @property
    def faces(self) -> Locator:
        return self.page.locator("#panel .face-grid .cell")

    @property
    def count(self) -> int:
        """Faces that the tab counts."""
        expect(self.page.locator("#tab-faces .count")).not_to_be_empty()
        return int(self.page.locator("#tab-faces .count").inner_text())

    def expect_count(self, count: int) -> None:
        expect(self.page.locator("#tab-faces .count")).to_have_text(str(count))

    def take_out_three(self) -> None:
        """Select the first three faces and say that they are not this person's."""
        before = self.count
        for at in range(3):
            self.faces.nth(at).click()
        self.act("Not ")
        self.expect_count(before - 3)
        expect(self.undo_line).to_contain_text("3 faces are not")


@dataclass(frozen=True, slots=True)
class Groups(Screen):
    """Groups without a name."""

    @property
    def groups(self) -> Locator:
        return self.page.locator("#groups article.group")

    @property
    def all_of_them(self) -> Locator:
        """The count on the chip that shows all."""
        return self.page.locator("[data-which=all] .count")

    def first_picture_of(self, place: int) -> str:
        """The address of the group's first picture."""
        return self.groups.nth(place).locator("img").first.get_attribute("src") or ""

    def select(self, *places: int) -> None:
        for at in places:
            self.groups.nth(at).get_by_role("checkbox").check()


@dataclass(frozen=True, slots=True)
class Photo(Screen):
    """One photo with boxes around its faces."""

    @property
    def boxes(self) -> Locator:
        return self.page.locator("#canvas .box")

    @property
    def name(self) -> Locator:
        return self.page.locator("#in-photo .naming input")

    @property
    def draft(self) -> Locator:
        """The box that is being drawn."""
        return self.page.locator("#canvas .draft")

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where a place of the photo, in shares of it, is on the screen."""
        frame = self.page.locator("#canvas").bounding_box()
        assert frame is not None
        return frame["x"] + x * frame["width"], frame["y"] + y * frame["height"]


@dataclass(frozen=True, slots=True)
class Photos(Screen):
    """All photos by date."""

    @property
    def tiles(self) -> Locator:
        return self.page.locator("#photos a")

    @property
    def total(self) -> int:
        """Photos that are shown, as the screen says."""
        expect(self.page.locator("#total")).to_contain_text(re.compile(r"\d"))
        found = re.search(r"\d[\d,]*", self.page.locator("#total").inner_text())
        assert found is not None
        return int(found[0].replace(",", ""))
