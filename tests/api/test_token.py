"""The service lets in whoever has its token, and nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from image_search_service.api.app import build_app
from image_search_service.api.token_guard import TokenCookie
from image_search_service.core.access_token import read_token
from image_search_service.core.config import Settings
from image_search_service.core.errors import InvalidInputError
from tests.support.served import Served, served

PAGE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Served]:
    """An API that asks for its token; its client follows no redirect and has no token."""
    with served(tmp_path / "library", run_jobs=False, require_token=True) as opened:
        opened.client.follow_redirects = False
        yield opened


def token_of(guarded: Served) -> str:
    token = read_token(guarded.library.paths.token)
    assert token is not None
    return token


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def paths_of(guarded: Served) -> list[tuple[str, str]]:
    """Every method and path of the API but the sign of life, with made-up ids."""
    document = build_app(Settings(), lifespan=None).openapi()
    return [
        (method, path.replace("{", "").replace("}", ""))
        for path, methods in document["paths"].items()
        for method in methods
        if path != "/health"
    ]


def test_nothing_answers_without_the_token(guarded: Served) -> None:
    """Every route, what describes them and what is not there, is refused to a program without the token."""
    for method, path in [
        *paths_of(guarded),
        ("get", "/openapi.json"),
        ("get", "/api/v1/nothing"),
        ("get", "/x"),
    ]:
        answer = guarded.client.request(method, path)
        assert answer.status_code == 401, path
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert answer.json()["type"] == "urn:image-search:token-needed"


def test_a_program_sends_it_as_a_header(guarded: Served) -> None:
    """The scheme's case does not matter; the token's does."""
    token = token_of(guarded)
    for header in (f"Bearer {token}", f"bearer {token}"):
        answer = guarded.client.get("/api/v1/persons", headers={"Authorization": header})
        assert answer.status_code == 200
        assert "set-cookie" not in answer.headers
    for header in (token, "Bearer", f"Basic {token}", f"Bearer {token[:-1]}", f"Bearer {token}x", "Bearer ä"):
        answer = guarded.client.get("/api/v1/persons", headers={b"Authorization": header.encode("latin-1")})
        assert answer.status_code == 401, header


@pytest.mark.parametrize(
    ("path", "clean"),
    [
        ("/?token={}", "/"),
        ("/people?sort=name&token={}&q=a%26b", "/people?sort=name&q=a%26b"),
        ("//example.org/?token={}", "/example.org/"),
        ("/\\example.org?token={}", "/%5Cexample.org"),
    ],
)
def test_a_browser_brings_it_once(guarded: Served, path: str, clean: str) -> None:
    """A page's address with the token gives a cookie that no script reads and no other site sends, and leads
    to the address without it, always on this host."""
    answer = guarded.client.get(f"http://localhost:8000{path.format(token_of(guarded))}", headers=PAGE)
    assert (answer.status_code, answer.headers["location"]) == (303, clean)
    assert answer.headers["cache-control"] == "no-store"
    cookie = answer.headers["set-cookie"]
    attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"httponly", "samesite=strict", "path=/"} <= attributes
    assert "secure" not in attributes
    assert guarded.client.get("/api/v1/persons").status_code == 200


def test_over_https_the_cookie_stays_there(guarded: Served) -> None:
    """What came over https is not sent over http."""
    answer = guarded.client.get(f"https://localhost:8000/?token={token_of(guarded)}", headers=PAGE)
    assert "; secure" in answer.headers["set-cookie"].lower()


def test_a_browser_without_it_is_told_where_it_is(guarded: Served) -> None:
    """A page says how to find the token, and holds neither it nor a path of this machine."""
    for path in ("/", "/people", "/docs", "/?token=wrong", "/?token="):
        answer = guarded.client.get(path, headers=PAGE)
        assert answer.status_code == 401
        assert answer.headers["content-type"].startswith("text/html")
        assert answer.headers["cache-control"] == "no-store"
        assert "set-cookie" not in answer.headers
        assert "image-search address" in answer.text
        assert token_of(guarded) not in answer.text
        assert str(guarded.library.paths.root) not in answer.text


def test_in_the_address_it_is_for_pages_only(guarded: Served) -> None:
    """An address of the API is no place for it: addresses are kept in logs."""
    path = f"/api/v1/persons?token={token_of(guarded)}"
    assert guarded.client.get(path).status_code == 401
    assert guarded.client.get(path, headers=PAGE).status_code == 401
    assert guarded.client.post(f"/?token={token_of(guarded)}", headers=PAGE).status_code == 401


def test_an_old_token_in_the_address_does_no_harm(guarded: Served) -> None:
    """Whoever has the cookie already keeps it, whatever the address says."""
    guarded.client.get(f"/?token={token_of(guarded)}", headers=PAGE)
    answer = guarded.client.get("/people?token=old", headers=PAGE)
    assert (answer.status_code, answer.headers["location"]) == (303, "/people")
    assert "set-cookie" not in answer.headers


def test_a_link_on_another_site_leads_here(guarded: Served) -> None:
    """Led here by another site, a browser keeps a strict cookie back: a page of ours leads it to the same
    address, from where it is sent."""
    headers = PAGE | {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "document"}
    answer = guarded.client.get('/people?q="><b>', headers=headers)
    assert answer.status_code == 200
    assert 'url=/people?q=%22%3E%3Cb%3E"' in answer.text
    framed = guarded.client.get("/people", headers=headers | {"Sec-Fetch-Dest": "iframe"})
    assert "http-equiv" not in framed.text


def test_the_sign_of_life_and_static_files_are_open(guarded: Served) -> None:
    """They tell nothing of the library, and the page that says where the token is needs its style."""
    assert guarded.client.get("/health").status_code == 200
    assert guarded.client.get("/static/0/nothing.js").status_code == 404


def test_each_library_has_its_own_cookie() -> None:
    """Cookies do not know ports: two services on one machine do not take each other's away."""
    assert TokenCookie("a" * 43).name != TokenCookie("b" * 43).name


def test_without_a_token_nobody_is_let_in(guarded: Served) -> None:
    """An application that was built without one refuses everybody rather than nobody."""
    app = build_app(guarded.library.settings, lifespan=None)
    guarded.client.app = guarded.client._transport.app = app  # type: ignore[attr-defined]
    for given in ("", "None", token_of(guarded)):
        assert guarded.client.get("/api/v1/persons", headers=bearer(given)).status_code == 401


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.2", "nas.local"])  # noqa: S104 - not listened on
def test_other_machines_need_it(host: str) -> None:
    """Beyond loopback there is no service without a token."""
    with pytest.raises(InvalidInputError, match="other machines"):
        build_app(Settings(host=host, require_token=False), lifespan=None)
    for loopback in ("127.0.0.1", "localhost", "::1"):
        build_app(Settings(host=loopback, require_token=False), lifespan=None)
