"""What tests of the pages share: a browser, two served libraries of drawn people, a visitor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="there is no Playwright: make dev")

from playwright.sync_api import Browser, Page

from tests.pages.browser import (
    MISSING,
    Complaints,
    Look,
    Site,
    chromium,
    context,
    opened_chromium,
    site,
)
from tests.pages.demo_libraries import DemoLibraries, demo_libraries
from tests.support.copies import copy_library
from tests.support.made_once import folder_of_run

Visit = Callable[..., Page]
"""Opens a page: ``visit(site, "/people", Look())``."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = chromium()
    if program is None:
        pytest.skip(MISSING)
    with opened_chromium(program) as opened:
        yield opened


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> DemoLibraries:
    """The libraries to copy; the processes of one run share them."""
    return demo_libraries(folder_of_run(tmp_path_factory) / "demo", faces=110)


@pytest.fixture(scope="session")
def unnamed(demo: DemoLibraries, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A served library of which nobody has a name."""
    yield from _copy_served(demo.unnamed, tmp_path_factory.mktemp("unnamed"))


@pytest.fixture(scope="session")
def named(demo: DemoLibraries, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A served library in which half of the people have names."""
    yield from _copy_served(demo.named, tmp_path_factory.mktemp("named"))


def _copy_served(library: Path, folder: Path) -> Iterator[Site]:
    copy_library(library, folder / "library")
    with site(folder / "library") as served:
        yield served


@pytest.fixture
def complaints() -> Complaints:
    """What the pages of a test complained of; what it does not expect fails it."""
    return Complaints()


@pytest.fixture
def visit(browser: Browser, complaints: Complaints) -> Iterator[Visit]:
    """Opens pages; any message on their consoles and any error in them fails the test."""
    contexts = []

    def opened(place: Site, path: str, look: Look | None = None) -> Page:
        contexts.append(context(browser, place, look or Look()))
        page = contexts[-1].new_page()
        complaints.watch(page)
        page.goto(place.address + path)
        return page

    yield opened
    for each in contexts:
        each.close()
    assert not complaints.unexpected
