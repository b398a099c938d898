"""What is said when a database cannot be connected to."""

from __future__ import annotations

import pytest
from sqlalchemy import exc

from image_search_service.core.errors import UnavailableError
from image_search_service.db.errors import translate

FAILED = 'connection failed: connection to server at "127.0.0.1", port 5432 failed: '


@pytest.mark.parametrize(
    ("reason", "hint"),
    [
        ('FATAL:  database "faces" does not exist', "createdb"),
        ('FATAL:  role "me" does not exist', "Create that role"),
        ('FATAL:  password authentication failed for user "me"', "Correct user and password"),
        ("FATAL:  the database system is starting up", "runs and can be reached"),
        ("Connection refused", "runs and can be reached"),
    ],
)
def test_a_connection_that_fails(reason: str, hint: str) -> None:
    """It is an outage that names the setting, and what would be right."""
    ours = translate(exc.OperationalError(None, None, Exception(FAILED + reason)))
    assert isinstance(ours, UnavailableError)
    assert hint in str(ours.hint)
    assert "IMAGE_SEARCH_DATABASE_URL" in str(ours.hint)
