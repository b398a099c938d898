"""What is done with the library as a whole."""

from __future__ import annotations

import pytest

from tests.support.served import Served, add_faces, directions
from tests.support.world import World


@pytest.mark.parametrize(
    ("route", "body", "counted"),
    [
        ("/doctor", {"repair": False}, "checked"),
        ("/metadata/read", None, "photos"),
        ("/metadata/write", {"dry_run": True}, "files"),
    ],
)
def test_it_is_a_job(working: Served, route: str, body: object, counted: str) -> None:
    """Each is accepted as a job that ends well and says what it found."""
    with working.library.database.write() as session:
        add_faces(working.library, World(session), directions(2))
    ended = working.ended(working.post(route, body))
    assert (ended["state"], counted in ended["counts"]) == ("succeeded", True)
