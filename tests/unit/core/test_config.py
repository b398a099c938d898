"""Settings: what each may be, what is said of a wrong one, and what is never said."""

from __future__ import annotations

from pathlib import Path

import pytest

from image_search_service.core.addresses import is_loopback, without_secrets
from image_search_service.core.config import Settings, default_library, settings_from
from image_search_service.core.errors import InvalidInputError

SECRET = "geheim"  # noqa: S105 - a password that is none


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"IMAGE_SEARCH_{name.upper()}", raising=False)


@pytest.mark.parametrize(
    ("name", "value", "right"),
    [
        ("QDRANT_URL", "qdrant:6333", "http://qdrant:6333"),
        ("QDRANT_URL", "localhost:6333", "lacks http://"),
        ("QDRANT_URL", "grpc://qdrant:6334", "IMAGE_SEARCH_QDRANT_GRPC_PORT"),
        ("QDRANT_URL", "ftp://qdrant", "http://qdrant:6333"),
        ("QDRANT_URL", "http://::1:6333", "http://[::1]:6333"),
        ("QDRANT_URL", "http://[::1:6333", "http://[::1]:6333"),
        ("QDRANT_URL", "http://qdrant:many", "up to 65535"),
        ("QDRANT_URL", "http://qdrant:65536", "up to 65535"),
        ("QDRANT_URL", "http://:6333", "names no host"),
        ("QDRANT_URL", "http://qd rant", "a space"),
        ("QDRANT_URL", "http://qdrant?a=b", "more than a path"),
        ("QDRANT_URL", f"http://me:{SECRET}@qdrant", "IMAGE_SEARCH_QDRANT_API_KEY"),
        ("QDRANT_API_KEY", f"{SECRET}é", "character 7"),
        ("QDRANT_API_KEY", f"{SECRET} {SECRET}", "ASCII"),
        ("QDRANT_CA", "/nowhere/ca.pem", "cannot be read"),
        ("QDRANT_GRPC_PORT", "grpc", "valid integer"),
        ("DATABASE_URL", f"mysql://me:{SECRET}@host/faces", "postgresql://"),
        ("DATABASE_URL", f"postgresql+psycopg2://me:{SECRET}@host/faces", "postgresql://"),
        ("DATABASE_URL", f"postgres://me:{SECRET}@{SECRET}@host/faces", "%40"),
        ("DATABASE_URL", f"postgres://me:{SECRET}@host:x/faces", "port"),
        ("DATABASE_URL", "faces", "postgresql://"),
        ("REDIS_URL", "redis:6379", "redis://host:6379/0"),
        ("REDIS_URL", f"http://:{SECRET}@redis:6379", "redis://host:6379/0"),
        ("REDIS_URL", f"redis://:{SECRET}@redis:x", "port"),
    ],
)
def test_a_wrong_setting(monkeypatch: pytest.MonkeyPatch, name: str, value: str, right: str) -> None:
    """The variable is named, and what would be right; no password is in it, nor in what is printed of it."""
    monkeypatch.setenv(f"IMAGE_SEARCH_{name}", value)
    with pytest.raises(InvalidInputError) as raised:
        settings_from({})
    assert f"IMAGE_SEARCH_{name}: " in raised.value.message
    assert right in raised.value.message
    assert SECRET not in raised.value.message


def test_a_file_that_holds_no_certificate(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is refused at the start, not with the first connection."""
    (tmp_path / "ca.pem").write_text("nothing")
    monkeypatch.setenv("IMAGE_SEARCH_QDRANT_CA", str(tmp_path / "ca.pem"))
    with pytest.raises(InvalidInputError, match="no file of certificates in PEM"):
        settings_from({})


def test_all_wrong_settings_are_named_at_once() -> None:
    """One start tells of all of them."""
    with pytest.raises(InvalidInputError) as raised:
        settings_from({"qdrant_url": "qdrant", "redis_url": "redis", "workers": 0})
    named = ("IMAGE_SEARCH_QDRANT_URL", "IMAGE_SEARCH_REDIS_URL", "IMAGE_SEARCH_WORKERS")
    assert all(name in raised.value.message for name in named)


@pytest.mark.parametrize("empty", ["", "  "])
def test_an_empty_setting_is_none(monkeypatch: pytest.MonkeyPatch, empty: str) -> None:
    """A compose file sets variables that it has no value for; the defaults hold, the folder's, too."""
    for name in Settings.model_fields:
        monkeypatch.setenv(f"IMAGE_SEARCH_{name.upper()}", empty)
    settings = settings_from({"redis_url": empty})
    assert settings == Settings(library=default_library())
    assert settings.qdrant_url is None
    assert settings.library == default_library()


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_name_of_postgresql(scheme: str) -> None:
    """The driver that is installed is used, whatever form of the address a provider gives."""
    settings = settings_from({"database_url": f"{scheme}://me:p%40ss@[::1]:5432/faces"})
    assert settings.database_url == "postgresql+psycopg://me:p%40ss@[::1]:5432/faces"


@pytest.mark.parametrize(
    ("given", "used"),
    [
        (" http://[::1]:6333 ", "http://[::1]:6333"),
        ("https://example.org/qdrant/", "https://example.org/qdrant"),
        ("HTTP://qdrant", "HTTP://qdrant"),
    ],
)
def test_a_right_address_of_qdrant(given: str, used: str) -> None:
    """Spaces around it and a slash at its end do no harm."""
    assert settings_from({"qdrant_url": given}).qdrant_url == used


def test_grpc_behind_a_path() -> None:
    """Where the address has a path, a proxy is in front: REST alone is used unless gRPC's port is set."""
    assert settings_from({"qdrant_url": "http://qdrant:6333"}).qdrant_over_grpc
    assert not settings_from({"qdrant_url": "https://example.org/qdrant"}).qdrant_over_grpc
    both = settings_from({"qdrant_url": "https://example.org/qdrant", "qdrant_grpc_port": 6334})
    assert both.qdrant_over_grpc


def test_secrets_are_not_printed() -> None:
    """Neither the settings as a whole nor an address that is shown has a password or key in it."""
    settings = settings_from(
        {
            "database_url": f"postgres://me:{SECRET}@host/faces",
            "redis_url": f"redis://:{SECRET}@host",
            "qdrant_api_key": SECRET,
        }
    )
    assert SECRET not in repr(settings)
    assert without_secrets(f"redis://:{SECRET}@host/1?password={SECRET}") == "redis://…@host/1?password=…"
    assert without_secrets(f"ada:{SECRET}@host:6333") == "…@host:6333"
    assert without_secrets(f" http://ada:{SECRET}/@:?#@[::1]") == " http://…@[::1]"
    assert without_secrets("http://host:6333/path") == "http://host:6333/path"


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("localhost", True), ("127.0.0.2", True), ("[::1]", True), ("10.0.0.1", False), ("qdrant", False)],
)
def test_what_is_loopback(host: str, loopback: bool) -> None:
    """This machine's own addresses, and no other's."""
    assert is_loopback(host) == loopback
