"""SQLAlchemy's errors, translated once into the tree of ``core/errors.py``.

cannot connect, locked for too long, disk full, no connection free  → UnavailableError, worth another try
a constraint says no                            → ConflictError
the file is damaged or no database              → DamagedDatabaseError
a mistake of ours (unknown column, …)           → passed on as it is
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import exc

from image_search_service.core.errors import (
    ConflictError,
    DamagedDatabaseError,
    ImageSearchError,
    UnavailableError,
)

Reader = Callable[[Any], Any]
"""Makes a value of what is stored."""

_HINTS = (
    ("disk is full", "Make room on the disk; the same command goes on from there."),
    ("locked", "Another program keeps the database busy; try again."),
    ("readonly", "The library's folder cannot be written to; check its permissions."),
    ("unable to open", "Check that the library's folder exists and can be written to."),
)
_HINTS_OF_CONNECTING = (
    ("password authentication failed", "Correct user and password in IMAGE_SEARCH_DATABASE_URL."),
    ('role "', "Create that role, or name another user in IMAGE_SEARCH_DATABASE_URL."),
    ('database "', "Create it (`createdb NAME`), or name another one in IMAGE_SEARCH_DATABASE_URL."),
)
_UNREACHABLE = "See whether the database runs and can be reached; its address is IMAGE_SEARCH_DATABASE_URL."
_MISTAKES = ("no such", "syntax error", "does not exist", "has no column")


@contextmanager
def translated() -> Iterator[None]:
    """Whatever the database says inside the block comes out as an error of ours."""
    try:
        yield
    except exc.DBAPIError as error:
        ours = translate(error)
        if ours is None:
            raise
        raise ours from error
    except exc.TimeoutError as error:
        raise UnavailableError(
            "All connections to the database are in use.", hint="Try again in a moment."
        ) from error
    except UnicodeDecodeError as error:  # SQLite names what is damaged, with bytes that are no text
        raise DamagedDatabaseError(error.object.decode("utf-8", "replace")) from error


def translate(error: exc.DBAPIError) -> ImageSearchError | None:
    """Our error for the database's; None for a mistake in our own SQL."""
    reason = " ".join(str(error.orig).split())  # some have several lines
    if isinstance(error, exc.IntegrityError):
        return ConflictError(f"The change contradicts what is stored: {reason}.")
    if isinstance(error, exc.OperationalError) and "connection to server" in reason:
        return UnavailableError(f"The database does not answer: {reason}.", hint=_of_connecting(reason))
    if type(error) is exc.DatabaseError or "Could not decode to UTF-8" in reason:
        return DamagedDatabaseError(reason)
    if isinstance(error, exc.OperationalError):
        if any(mistake in reason for mistake in _MISTAKES):
            return None
        hint = next((hint for sign, hint in _HINTS if sign in reason), "Try again when the database answers.")
        return UnavailableError(f"The database does not answer: {reason}.", hint=hint)
    return None


def _of_connecting(reason: str) -> str:
    """What to do when no connection is made; some reasons are the setting's."""
    said = reason.rpartition("FATAL:")[2] if "FATAL:" in reason else ""
    return next((hint for sign, hint in _HINTS_OF_CONNECTING if sign in said), _UNREACHABLE)


def read_json(stored: str | bytes | int | float) -> Any:
    """The value of JSON; SQLite gives a number as such. Raises DamagedDatabaseError."""
    return stored if isinstance(stored, int | float) else _read(json.loads, stored)


def checked(read: Reader | None) -> Reader | None:
    """A type's reader of stored values; what it cannot read is damage, which SQLite does not notice in a
    row."""
    return None if read is None else lambda value: _read(read, value)


def _read(read: Reader, value: Any) -> Any:
    try:
        return read(value)
    except (AttributeError, TypeError, ValueError) as error:
        raise DamagedDatabaseError(f"a stored value cannot be read: {error}") from error
