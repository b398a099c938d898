"""Centroids: computed by jobs, read with their freshness."""

from __future__ import annotations

from uuid import UUID

import numpy as np
import pytest

from tests.support.served import Served, add_faces, add_person, alike, directions
from tests.support.world import World


def add(api: Served, name: str, number: int) -> UUID:
    """A person with so many faces."""
    with api.library.database.write() as session:
        world = World(session)
        person = add_person(world, name)
        add_faces(api.library, world, alike(directions(1), number), person_id=person.id)
        return person.id


def test_a_centroid_is_computed_and_read(working: Served) -> None:
    """A job computes it of the person's faces; it is fresh until they get another one."""
    ada = add(working, "Ada", 6)
    (job,) = working.post("/centroids", {})["jobs"]
    assert working.ended(job)["counts"]["computed"] == 1
    centroid = working.get(f"/persons/{ada}/centroid")
    assert (centroid["faces"], centroid["faces_used"], centroid["fresh"]) == (6, 6, True)
    numbers = working.get(f"/centroids/{ada}")
    assert numbers["id"] == centroid["id"]
    assert np.linalg.norm(numbers["embedding"]) == pytest.approx(1)
    with working.library.database.write() as session:
        add_faces(working.library, World(session), alike(directions(1), 1, seed=9), person_id=ada)
    assert not working.get(f"/persons/{ada}/centroid")["fresh"]
    (again,) = working.post("/centroids", {"person_ids": [str(ada)]})["jobs"]
    assert working.ended(again)["state"] == "succeeded"
    assert working.get(f"/persons/{ada}/centroid")["faces"] == 7


def test_nobody_and_nothing_yet(api: Served) -> None:
    """A person without a centroid is told from one that there is not."""
    ada = add(api, "Ada", 1)
    nobody = "3f2a0c9e-5d0b-4a57-9d3b-8a8b2f1c6e01"
    for path in ("/persons/{}/centroid", "/centroids/{}"):
        assert "no centroid yet" in api.get(path.format(ada), status=404)["detail"]
        assert "no person" in api.get(path.format(nobody), status=404)["detail"]
    assert "no person" in api.post("/centroids", {"person_ids": [nobody]}, status=404)["detail"]
