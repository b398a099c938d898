"""The service behind nginx, by https and below a path of the proxy's, as ``deploy/nginx`` has it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.nginx import MISSING, PROXY, ROOT, Proxy, nginx, nginx_before
from tests.pages.browser import PATIENCE, Complaints, Site, site
from tests.pages.demo_libraries import DemoLibraries
from tests.support.copies import copy_library
from tests.support.service_processes import free_port
from tests.support.waiting import LIMIT, wait_until

pytestmark = pytest.mark.depth

PAGE = {"Accept": "text/html"}


@dataclass(frozen=True, slots=True)
class Published:
    """A service, the proxy in front of it, and whoever comes to the proxy with the token."""

    site: Site
    proxy: Proxy
    client: httpx.Client


@pytest.fixture(scope="module")
def published(demo: DemoLibraries, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    program = nginx()
    if program is None:
        pytest.skip(MISSING)
    folder, port = tmp_path_factory.mktemp("published"), free_port()
    copy_library(demo.named, folder / "library")
    (folder / "nginx").mkdir()
    public = f"https://localhost:{port}{ROOT}"
    with (
        site(folder / "library", public_url=public, forwarded_allow_ips=PROXY) as served,
        nginx_before(program, [served.port], port, folder / "nginx") as proxy,
        httpx.Client(
            base_url=proxy.address,
            headers={"Authorization": f"Bearer {served.token}"},
            verify=proxy.trust,
            timeout=LIMIT,
            trust_env=False,
        ) as client,
    ):
        yield Published(served, proxy, client)


def test_the_cookie_is_for_https_and_for_the_path(published: Published) -> None:
    """The proxy's word that the outside is https is taken, that of anybody else is not."""
    token = {"token": published.site.token}
    by_proxy = published.client.get("/people", params=token, headers=PAGE)
    assert by_proxy.status_code == HTTPStatus.SEE_OTHER
    assert by_proxy.headers["Location"] == f"{ROOT}/people"
    assert "Secure" in by_proxy.headers["Set-Cookie"]
    assert f"Path={ROOT}/;" in by_proxy.headers["Set-Cookie"]
    claimed = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.1"}
    direct = httpx.get(f"{published.site.address}/people", params=token, headers=PAGE | claimed)
    assert direct.status_code == HTTPStatus.SEE_OTHER
    assert "Secure" not in direct.headers["Set-Cookie"]


def test_the_api_answers_below_the_path(published: Published) -> None:
    """Lists, the description with the proxy's path, and a request's id that the proxy gave."""
    persons = published.client.get("/api/v1/persons")
    assert persons.json()["items"]
    assert len(persons.headers["X-Request-ID"]) == 32
    assert published.client.get("/openapi.json").json()["servers"] == [{"url": ROOT}]


def test_events_are_not_held_back(published: Published) -> None:
    """The first event arrives while the stream goes on."""
    with published.client.stream("GET", "/api/v1/events") as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        assert "event: library" in next(stream.iter_text())


def test_large_bodies_pass_both_ways(published: Published) -> None:
    """A backup comes whole; an import of several megabytes reaches the service, which says what is wrong."""
    job = published.client.post("/api/v1/backup").json()
    wait_until(lambda: published.client.get(job["url"]).json()["state"] == "succeeded")
    assert b"SHA256SUMS" in published.client.get("/api/v1/backup").content[-65_536:]
    line = json.dumps({"type": "nothing", "filler": "x" * 1_000}).encode() + b"\n"
    kind = {"Content-Type": "application/x-ndjson"}
    refused = published.client.post("/api/v1/import", headers=kind, content=line * 4_000)
    assert refused.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert refused.json()["detail"]


def test_pages_work_below_the_path(published: Published, browser: Browser, complaints: Complaints) -> None:
    """Nothing that any page asks for or leads to lies outside of the path; one enters by the address with the
    token, names stay after a click, and what is chosen is kept."""
    with browser.new_context(ignore_https_errors=True) as visitor:
        visitor.set_default_timeout(PATIENCE)
        page = visitor.new_page()
        complaints.watch(page)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{published.proxy.address}/?token={published.site.token}")
        expect(page).to_have_url(f"{published.proxy.address}/review")
        for place in ("groups", "photos", "conflicts", "history", "people"):
            page.get_by_role("navigation", name="Places").locator(f"a[href$='/{place}']").click()
            expect(page).to_have_url(f"{published.proxy.address}/{place}")
            expect(page.locator("[aria-busy=true]")).to_have_count(0)
            assert outside(page) == []
        page.locator("article a[href*='/people/'], li a[href*='/people/']").first.click()
        expect(page).to_have_url(re.compile(f"{ROOT}/people/[0-9a-f-]+"))
        expect(page.locator("img").first).to_be_visible()
        assert outside(page) == []
        for place in ("jobs", "welcome", "settings", "docs", "alone"):
            page.goto(f"{published.proxy.address}/{place}")
            expect(page.locator("[aria-busy=true]")).to_have_count(0)
            assert outside(page) == []
        page.goto(f"{published.proxy.address}/settings")
        page.locator("#language").select_option("de")
        expect(page.locator("html")).to_have_attribute("lang", "de")
        kept = {cookie["name"]: cookie["path"] for cookie in visitor.cookies()}
    assert set(kept.values()) == {f"{ROOT}/"}
    assert [url for url in asked if not url.startswith(("blob:", f"{published.proxy.address}/"))] == []
    assert complaints.unexpected == []


def outside(page: Page) -> list[str]:
    """Links and sources of a page that lead to this service, but not below the path."""
    found: list[str] = page.evaluate(
        """(root) => [...document.querySelectorAll("[href], [src], [action]")]
            .flatMap((node) => ["href", "src", "action"].map((name) => node.getAttribute(name)))
            .filter((url) => url && url.startsWith("/") && !url.startsWith(root + "/"))""",
        ROOT,
    )
    return found
