"""A real browser, and the service in front of which it stands."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from image_search_service.api.token_guard import TokenCookie
from image_search_service.core.access_token import bearer_headers, read_token
from tests.support.service_processes import ask, free_port, serving

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
MISSING = "there is no Chromium: apt-get install chromium, or put a browser of that name into the PATH"
WIDE = (1280, 800)
NARROW = (360, 740)
PATIENCE = 60_000.0
"""Milliseconds after which what a page waits for is taken for missing."""

expect.set_options(timeout=PATIENCE)


def chromium() -> str | None:
    """The program of the browser, None if there is none."""
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


@contextmanager
def opened_chromium(program: str) -> Iterator[Browser]:
    """The browser, without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


@dataclass(frozen=True, slots=True)
class Site:
    """A service that runs, and its API for whoever has the token."""

    port: int
    library: Path

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def token(self) -> str:
        token = read_token(self.library / "token")
        assert token is not None
        return token

    def get(self, path: str) -> Any:
        """The JSON of ``GET /api/v1…``."""
        return ask(self.port, f"/api/v1{path}", headers=bearer_headers(self.library / "token"))

    def decide(self, kind: str, body: Any) -> Any:
        """A decision of somebody else, past the page."""
        return self.post(f"/decisions/{kind}", body)

    def post(self, path: str, body: Any) -> Any:
        """The JSON of ``POST /api/v1…``."""
        return ask(self.port, f"/api/v1{path}", body, bearer_headers(self.library / "token"))


def persons(place: Site) -> set[str]:
    """The names that there are."""
    return {person["name"] for person in place.get("/persons/names")["names"]}


def most_seen(place: Site) -> dict[str, Any]:
    """The person with most faces."""
    people: list[dict[str, Any]] = place.get("/persons?order=faces&limit=1")["items"]
    return people[0]


@contextmanager
def site(library: Path, **settings: Any) -> Iterator[Site]:
    """A service for a library, with a token, until the end of the block."""
    port = free_port()
    given = {"library": library, "port": port, "require_token": True, "workers": 1, "offline": True}
    with serving(given | settings):
        yield Site(port, library)


@dataclass(slots=True)
class Complaints:
    """What a page wrote to the console or failed with. expected: texts of complaints that a test provokes."""

    found: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        page.on("console", lambda message: self.found.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.found.append(f"error: {error}"))

    @property
    def unexpected(self) -> list[str]:
        return [one for one in self.found if not any(text in one for text in self.expected)]


@dataclass(frozen=True, slots=True)
class Look:
    """How a page is looked at."""

    size: tuple[int, int] = WIDE
    theme: str = "light"
    language: str = "en"
    touch: bool = False

    def __str__(self) -> str:
        return f"{self.theme}-{self.size[0]}-{self.language}"


LOOKS = tuple(Look(size, theme) for theme in ("light", "dark") for size in (WIDE, NARROW))


def context(browser: Browser, place: Site, look: Look) -> BrowserContext:
    """A visitor who has the token, and has chosen theme and language."""
    width, height = look.size
    made = browser.new_context(
        viewport={"width": width, "height": height},
        locale="en-GB",
        timezone_id="Europe/Berlin",
        reduced_motion="reduce",
        has_touch=look.touch,
    )
    made.set_default_timeout(PATIENCE)
    cookies = {TokenCookie(place.token).name: place.token, "theme": look.theme, "language": look.language}
    made.add_cookies(
        [{"name": name, "value": value, "url": place.address} for name, value in cookies.items()]
    )
    return made
