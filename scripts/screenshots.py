"""Pictures of every screen of a drawn library: light and dark, wide and narrow.

    python -m scripts.screenshots        # into build/screenshots, and three for the README into docs/images

The library is drawn, so that its pictures may be shown to anybody.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page

from tests.pages.browser import LOOKS, MISSING, Look, Site, chromium, context, opened_chromium, site
from tests.pages.demo_libraries import demo_libraries
from tests.pages.every_screen import every_screen
from tests.pages.screens import Review, Screen

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build" / "screenshots"
IMAGES = ROOT / "docs" / "images"
FOR_README = ("review", "people", "photo")
COLOURS = 256
"""Of a picture for the README: drawn people and flat colours lose nothing that one sees."""


def main() -> None:
    program = chromium()
    if program is None:
        raise SystemExit(MISSING)
    BUILD.mkdir(parents=True, exist_ok=True)
    libraries = demo_libraries(ROOT / "build" / "screenshots-library")
    served = BUILD.with_name("screenshots-served")
    shutil.rmtree(served, ignore_errors=True)
    shutil.copytree(libraries.named, served)
    with opened_chromium(program) as browser, site(served) as place:
        for look in LOOKS:
            _picture_all(browser, place, look)
    for name in FOR_README:
        _for_readme(name)


def _picture_all(browser: Browser, place: Site, look: Look) -> None:
    with context(browser, place, look) as visitor:
        page = visitor.new_page()
        for name, path in every_screen(place).items():
            page.goto("about:blank")  # else only the part behind the # would change
            page.goto(place.address + path)
            _shown(name, page)
            page.screenshot(path=BUILD / f"{name}-{look}.png")
            print(f"{name}-{look}.png")


def _shown(name: str, page: Page) -> None:
    """Wait until the screen has what it shows. Of the questions, one that somebody is proposed for."""
    if name == "review":
        Review(page).skip_to_name(proposed=True)
    Screen(page).settled()


def _for_readme(name: str) -> None:
    with Image.open(BUILD / f"{name}-{Look()}.png") as picture:
        small = picture.convert("RGB").quantize(COLOURS)
        small.save(IMAGES / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
