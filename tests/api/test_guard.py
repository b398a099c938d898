"""Pages of other sites are kept out."""

from __future__ import annotations

import pytest

from image_search_service.api.guard import LOOPBACK_NAMES, host_names, is_loopback
from tests.support.served import Served


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


def test_names_follow_the_address() -> None:
    """On loopback this machine's names are allowed, elsewhere any, and those that are set in any case."""
    assert host_names("127.0.0.1", None) == ["localhost", "127.0.0.1", "[::1]", "127.0.0.1"]
    assert host_names("0.0.0.0", None) == ["*"]  # noqa: S104 - it is not listened on
    assert host_names("0.0.0.0", "nas.local, photos") == [*LOOPBACK_NAMES, "nas.local", "photos"]  # noqa: S104
    assert [is_loopback(host) for host in ("localhost", "::1", "127.0.0.5", "192.168.0.2", "nas")] == [
        True, True, True, False, False,
    ]  # fmt: skip
