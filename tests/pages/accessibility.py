"""What axe finds against WCAG 2.2 AA on a page."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.pages.browser import Look

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RULES_OF_COLOURS = ["color-contrast", "link-in-text-block"]
"""What a theme can break: a dark screen is the light one in other colours."""

_axe = Axe()


def violations(page: Page, look: Look | None = None) -> dict[str, list[str]]:
    """What is wrong by the rule that it breaks: the elements' HTML. On a dark look, contrasts only."""
    rules = RULES_OF_COLOURS if look is not None and look.theme == "dark" else RULES
    found = _axe.run(page, options={"runOnly": rules, "resultTypes": ["violations"]})
    return {one["id"]: [node["html"][:200] for node in one["nodes"]] for one in found.response["violations"]}
