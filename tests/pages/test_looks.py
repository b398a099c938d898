"""Every screen, light and dark, wide and narrow, in English and German."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.pages.accessibility import violations
from tests.pages.browser import LOOKS, NARROW, Look, Site
from tests.pages.conftest import Visit
from tests.pages.every_screen import every_screen
from tests.pages.screens import People, Screen


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
    page = visit(named, "/settings", look)
    findings: dict[str, object] = {}
    for name, path in every_screen(named).items():
        page.goto("about:blank")  # else only the part behind the # would change
        page.goto(named.address + path)
        screen = Screen(page)
        screen.settled()
        if outside := screen.sticks_out():
            findings[f"{name} sticks out"] = outside
        findings |= {f"{name} {rule}": nodes for rule, nodes in violations(page, look).items()}
    assert not findings
