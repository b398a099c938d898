"""What each setting that names a server may be: one function each, which says what would be right.

Pure functions: they return the value as the program uses it, or raise ValueError. No message has a password.
"""

from __future__ import annotations

import re
import ssl
from pathlib import Path
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from image_search_service.core.addresses import without_secrets

QDRANT_EXAMPLE: Final = "http://qdrant:6333 or https://example.org/qdrant"
DATABASE_EXAMPLE: Final = "postgresql://user:password@host/database"
REDIS_EXAMPLE: Final = "redis://host:6379/0"
LAST_PORT: Final = 65_535

_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*(?=://)", re.IGNORECASE)
_PORT: Final = re.compile(r"\]:([^:\]]*)$|^[^:\[\]]*:([^:]*)$")
_POSTGRESQL: Final = {"postgres", "postgresql", "postgresql+psycopg", "postgres+psycopg"}
_SQLITE: Final = {"sqlite", "sqlite+pysqlite"}


def given_settings(values: dict[str, Any]) -> dict[str, Any]:
    """Without those that are empty, as a compose file has them, and without spaces around the others."""
    stripped = {name: value.strip() if isinstance(value, str) else value for name, value in values.items()}
    return {name: value for name, value in stripped.items() if value != ""}


def qdrant_address(address: str) -> str:
    """An address over HTTP, with a path where a proxy has one; without the last slash."""
    parts = _http_parts(address)
    if parts.username is not None or parts.password is not None:
        raise ValueError(
            f"{without_secrets(address)} has a user name or password, which Qdrant does not know; the key is "
            "IMAGE_SEARCH_QDRANT_API_KEY"
        )
    if parts.query or parts.fragment:
        raise ValueError(f"{without_secrets(address)} has more than a path at its end")
    return address.rstrip("/")


def _http_parts(address: str) -> SplitResult:
    scheme = _scheme_of(address)
    if scheme is None:
        raise ValueError(f"{without_secrets(address)} lacks http:// or https:// in front: {QDRANT_EXAMPLE}")
    if scheme not in {"http", "https"}:
        grpc = "; gRPC is used by itself, at IMAGE_SEARCH_QDRANT_GRPC_PORT" if "grpc" in scheme else ""
        raise ValueError(f"{scheme}:// is not known; it must be such as {QDRANT_EXAMPLE}{grpc}")
    if re.search(r"\s", address):
        raise ValueError(f"{without_secrets(address)} has a space in it")
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise ValueError(
            f"{without_secrets(address)} is no address: a port is a number up to 65535, and an IPv6 address "
            "stands in brackets, http://[::1]:6333"
        ) from None
    if not parts.hostname or port == 0:
        raise ValueError(f"{without_secrets(address)} names no host or port: {QDRANT_EXAMPLE}")
    return parts


def header_value(key: str) -> str:
    """A key, which is sent as a header and so has letters, digits and signs of ASCII alone."""
    wrong = next((i for i, letter in enumerate(key, 1) if not "!" <= letter <= "~"), None)
    if wrong is not None:
        raise ValueError(f"its character {wrong} is none that a key can have: ASCII without spaces")
    return key


def database_address(address: str) -> str:
    """SQLAlchemy's address of PostgreSQL, with the driver that is installed, or of SQLite."""
    scheme = _scheme_of(address)
    if scheme in _SQLITE:
        return address
    if scheme not in _POSTGRESQL:
        shown = f"{scheme}:// is not known" if scheme else f"{without_secrets(address)} is no address"
        raise ValueError(f"{shown}; it must be such as {DATABASE_EXAMPLE}")
    _check_place(address, DATABASE_EXAMPLE)
    return "postgresql+psycopg" + address[len(scheme) :]


def redis_address(address: str) -> str:
    """The address of a Redis server, or of its socket."""
    scheme = _scheme_of(address)
    if scheme not in {"redis", "rediss", "unix"}:
        shown = (
            f"{scheme}:// is not known" if scheme else f"{without_secrets(address)} lacks redis:// in front"
        )
        raise ValueError(f"{shown}; it must be such as {REDIS_EXAMPLE}")
    _check_place(address, REDIS_EXAMPLE)
    return address


def certificates(path: Path) -> Path:
    """A file of certificates in PEM."""
    try:
        ssl.create_default_context(cafile=str(path))
    except ssl.SSLError:
        raise ValueError(f"{path} is no file of certificates in PEM (-----BEGIN CERTIFICATE-----)") from None
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    return path


def _scheme_of(address: str) -> str | None:
    found = _SCHEME.match(address)
    return None if found is None else found[0].lower()


def _check_place(address: str, example: str) -> None:
    """Raises ValueError if host and port cannot be told; often a password holds what should be encoded."""
    before_query = address.partition("://")[2].partition("?")[0]
    place = before_query.rpartition("@")[2].partition("/")[0]
    found = _PORT.search(place)
    port = (found[1] or found[2] or "") if found else ""
    if before_query.count("@") > 1 or (port and not (port.isdecimal() and 0 < int(port) <= LAST_PORT)):
        raise ValueError(
            f"{without_secrets(address)} has no port that is a number; in a password @ : / ? # are written "
            f"%40 %3A %2F %3F %23: {example}"
        )
