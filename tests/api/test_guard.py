"""Pages of other sites are kept out."""

from __future__ import annotations

import socket

import pytest

from image_search_service.api.hosts import allowed_hosts, is_loopback
from tests.support.served import Served

EVERYWHERE = "0.0.0.0"  # noqa: S104 - it is not listened on


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:8000", "[::1]:8000", "LOCALHOST"])
def test_our_own_names_are_let_in(api: Served, host: str) -> None:
    """By this machine's names the service may be called."""
    assert api.client.get("/health", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["example.org", "127.0.0.1.example.org", "localhost.example.org", "", "10.0.0.7"]
)
def test_foreign_names_are_refused(api: Served, host: str) -> None:
    """A foreign name that leads to this machine (DNS rebinding) is refused."""
    assert api.client.get("/health", headers={"Host": host}).status_code == 400


@pytest.mark.parametrize("origin", ["https://example.org", "null", "http://localhost:3000", "http://[", ""])
def test_pages_of_others_change_nothing(api: Served, origin: str) -> None:
    """A change that a page of another origin asks for is refused, and nothing has happened."""
    answer = api.client.post("/api/v1/faces/cluster", json={}, headers={"Origin": origin})
    assert answer.status_code == 403
    assert answer.json()["type"] == "urn:image-search:foreign-origin"
    assert api.get("/jobs")["total"] == 0


def test_our_own_pages_may(api: Served) -> None:
    """A page that this service has sent may ask for a change."""
    headers = {"Origin": "http://localhost:8000"}
    assert api.client.post("/api/v1/faces/cluster", json={}, headers=headers).status_code == 202


def test_a_form_of_another_page_is_no_request(api: Served) -> None:
    """A body that is not declared as JSON, as a form of another page could send, is refused."""
    answer = api.client.post("/api/v1/faces/cluster", content="{}", headers={"Content-Type": "text/plain"})
    assert answer.status_code == 422


def test_no_other_site_may_show_our_pictures(api: Served) -> None:
    """Every answer says that it belongs to this origin, and no answer allows another."""
    headers = api.client.get("/health", headers={"Origin": "https://example.org"}).headers
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize("path", ["backup", "export", "conflicts", "persons", "jobs/1/events"])
@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_pages_of_others_ask_for_nothing(api: Served, site: str, path: str) -> None:
    """Not even for an answer that they could not read: it may cost a lot."""
    answer = api.client.get(f"/api/v1/{path}", headers={"Sec-Fetch-Site": site})
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:image-search:foreign-origin")


def test_answers_run_nothing(api: Served) -> None:
    """What is no page may load and run nothing, should a browser take it for one."""
    for path in ("/health", "/openapi.json", "/api/v1/persons", "/api/v1/nothing"):
        assert "default-src 'none'" in api.client.get(path).headers["content-security-policy"]


@pytest.mark.parametrize(
    ("host", "more", "named", "allowed"),
    [
        ("127.0.0.1", None, "LOCALHOST:8000", True),
        ("127.0.0.1", None, "localhost.", True),
        ("127.0.0.1", None, "10.0.0.7", False),
        ("127.0.0.5", None, "127.0.0.5:8000", True),
        ("127.0.0.1", "nas.local, photos", "photos:1", True),
        ("127.0.0.1", "nas.local, photos", "nas.local.", True),
        ("127.0.0.1", "*.example.org", "a.example.org", True),
        ("127.0.0.1", "*.example.org", "example.org.evil.net", False),
        ("127.0.0.1", "*.example.org", "example.org", False),
        ("127.0.0.1", "*", "anything", True),
        (EVERYWHERE, None, "nas", True),
        (EVERYWHERE, None, "NAS.home.arpa:8000", True),
        (EVERYWHERE, None, "nas.local", True),
        (EVERYWHERE, None, "192.168.0.7:8000", True),
        (EVERYWHERE, None, "[fe80::1]:8000", True),
        (EVERYWHERE, None, "example.org", False),
        (EVERYWHERE, None, "192.168.0.7.example.org", False),
        (EVERYWHERE, None, "user@nas", False),
        (EVERYWHERE, None, "nas:x", False),
        (EVERYWHERE, None, "nas/x", False),
        (EVERYWHERE, None, "[::1", False),
        (EVERYWHERE, None, "", False),
        (EVERYWHERE, "photos.example.org", "photos.example.org", True),
        ("::", None, "[::1]:8000", True),
        ("photos", None, "photos", True),
    ],
)
def test_names_follow_the_address(
    monkeypatch: pytest.MonkeyPatch, host: str, more: str | None, named: str, allowed: bool
) -> None:
    """On loopback this machine's loopback names, beyond it its own names and addresses in digits, which no
    foreign name can stand for; settings add to them."""
    monkeypatch.setattr(socket, "gethostname", lambda: "Nas.home.arpa")
    assert allowed_hosts(host, (more or "").split(",")).allow(named) is allowed


def test_what_is_loopback() -> None:
    """By address or by name."""
    assert [is_loopback(host) for host in ("localhost", "::1", "127.0.0.5", "192.168.0.2", "nas")] == [
        True, True, True, False, False,
    ]  # fmt: skip


def test_a_refused_name_is_told_what_to_set(api: Served) -> None:
    """The answer names the names that there are, and the setting."""
    problem = api.client.get("/health", headers={"Host": "photos.example.org"}).json()
    assert "localhost" in problem["detail"]
    assert "IMAGE_SEARCH_ALLOWED_HOSTS" in problem["hint"]
