"""How one gets in: the address with the token, and the page for whoever comes without."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.pages.browser import PATIENCE, Complaints, Site


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
