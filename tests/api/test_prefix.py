"""Pages below a path of a proxy's; tests/pages/test_behind_a_proxy.py has a real proxy and a browser."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from image_search_service.api.app import build_app
from image_search_service.core.config import Settings
from image_search_service.web.assets import STATIC
from image_search_service.web.pages import PAGES, add_pages
from tests.support.served import BASE_URL

ROOT = "/people"
"""The same as a page's address: what is written twice must not be taken for one."""
ADDRESS = re.compile(r"""(?:href|src|action|data-words)="(/[^"]*)""")


@pytest.fixture(scope="module")
def below() -> TestClient:
    """A client that comes through a proxy, which has taken the path off, as the server says it."""
    app = build_app(Settings(library=Path("nowhere"), require_token=False), None)
    add_pages(app)
    client = TestClient(app, base_url=BASE_URL, root_path=ROOT, follow_redirects=False)
    client.cookies.set("language", "de")
    return client


@pytest.mark.parametrize("path", [page.path for page in PAGES])
def test_every_address_of_a_page_has_the_path(below: TestClient, path: str) -> None:
    """Links, modules, styles, pictures and words."""
    page = below.get(f"{ROOT}{path}").text
    found = ADDRESS.findall(page)
    assert len(found) > 20
    assert [address for address in found if not address.startswith(f"{ROOT}/")] == []
    assert f'data-root="{ROOT}"' in page


def test_the_start_leads_to_a_page_below_the_path(below: TestClient) -> None:
    """Redirects have it, too."""
    assert below.get(f"{ROOT}/").headers["Location"] == f"{ROOT}/review"
    assert below.get(f"{ROOT}/favicon.ico").headers["Location"].startswith(f"{ROOT}/static/")


def test_modules_have_one_way_to_an_address() -> None:
    """What goes past ``address.js`` would lie outside of the path: no module asks for, opens or stores an
    address that begins with a slash by itself."""
    past = re.compile(
        r"""(?:location\.(?:assign|replace)|fetch|EventSource|(?:push|replace)State\([^,]*,[^,]*,|"""
        r"""\.(?:src|href|action) =)\s*\(?\s*["'`]/|path=/;"""
    )
    found = [
        f"{module.name}: {line.strip()}"
        for module in sorted(STATIC.glob("*.js"))
        for line in module.read_text(encoding="utf-8").splitlines()
        if past.search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("given", "path", "names"),
    [
        ({}, "", []),
        ({"root_path": "/people/"}, "/people", []),
        ({"public_url": "https://photos.example.org"}, "", ["photos.example.org"]),
        ({"public_url": "https://photos.example.org:8443/a/b/"}, "/a/b", ["photos.example.org"]),
    ],
)
def test_the_public_address_says_path_and_name(given: dict[str, Any], path: str, names: list[str]) -> None:
    """One setting gives the path, and a name by which the service may be called."""
    settings = Settings(library=Path("nowhere"), **given)
    assert settings.public_path == path
    assert [name for name in settings.called_by if name] == names


@pytest.mark.parametrize("wrong", ["people", "/peo ple", '/"><script>', "//evil", "/a;b"])
def test_a_path_that_is_none_is_refused(wrong: str) -> None:
    """It would get into pages and cookies."""
    with pytest.raises(ValueError, match="root_path"):
        Settings(root_path=wrong)
