"""Every screen, light and dark, wide and narrow, in English and German."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.pages.browser import LOOKS, NARROW, Look, Site
from tests.pages.conftest import Visit
from tests.pages.every_screen import every_screen
from tests.pages.screens import People, Screen

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RULES_OF_COLOURS = ["color-contrast", "link-in-text-block"]
"""What a theme can break: dark screens are the light ones in other colours."""


@pytest.mark.depth
def test_dark_and_german(visit: Visit, named: Site) -> None:
    """A visitor whose cookies say dark and German sees both, with the library's people."""
    page = visit(named, "/people", Look(NARROW, "dark", "de"))
    expect(People(page).cards.first).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(page.locator("h1")).to_have_text("Personen")
    shade = page.evaluate("() => getComputedStyle(document.documentElement).backgroundColor")
    assert sum(int(part) for part in shade.strip("rgb()").split(",")) < 3 * 64
    assert not People(page).sticks_out()


@pytest.mark.depth
@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_screens_fit_and_can_be_used_by_all(visit: Visit, named: Site, look: Look) -> None:
    """No screen can be scrolled sideways, and axe finds nothing against WCAG 2.2 AA on any: everything on
    light ones, contrasts on dark ones as well."""
    page, axe = visit(named, "/settings", look), Axe()
    rules = RULES if look.theme == "light" else RULES_OF_COLOURS
    findings: dict[str, object] = {}
    for name, path in every_screen(named).items():
        page.goto("about:blank")  # else only the part behind the # would change
        page.goto(named.address + path)
        screen = Screen(page)
        screen.settled()
        if outside := screen.sticks_out():
            findings[f"{name} sticks out"] = outside
        for found in axe.run(page, options={"runOnly": rules, "resultTypes": ["violations"]}).response[
            "violations"
        ]:
            findings[f"{name} {found['id']}"] = [one["html"][:200] for one in found["nodes"]]
    assert not findings
