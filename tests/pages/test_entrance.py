"""How one gets in: the address with the token, and the page for whoever comes without."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.pages.browser import PATIENCE, Site


@pytest.mark.depth
def test_without_a_token_one_is_told_where_it_is(browser: Browser, named: Site) -> None:
    """Whoever has no token sees how to get the address, and comes in with the token put into the field."""
    with browser.new_context() as visitor:
        visitor.set_default_timeout(PATIENCE)
        page = visitor.new_page()
        page.goto(f"{named.address}/people")
        expect(page.get_by_role("heading", name="These photos are private")).to_be_visible()
        expect(page.locator("code")).to_contain_text("image-search address")
        page.get_by_label("Or put the token in here").fill(named.token)
        page.get_by_role("button", name="Go on").click()
        expect(page).to_have_url(f"{named.address}/review")
