"""Grouping and assigning, asked for over HTTP and done by jobs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.support.served import Served, add_faces, add_person, alike, directions
from tests.support.world import World

LOOKS = directions(2, seed=5)


@pytest.fixture
def filled(working: Served) -> dict[str, str]:
    """Ada with five named faces and four without a name, and six faces of somebody unknown."""
    with working.library.database.write() as session:
        world = World(session)
        ada = add_person(world, "Ada")
        named = alike(LOOKS[0], 5, spread=0.3)
        add_faces(working.library, world, named, person_id=ada.id, assigned_by="human")
        alone = [alike(LOOKS[0], 4, spread=0.3, seed=1), alike(LOOKS[1], 6, spread=0.3)]
        faces = add_faces(working.library, world, np.vstack(alone))
        return {"ada": str(ada.id), "face": str(faces[0].id)}


def test_dual_clustering(working: Served, filled: dict[str, str]) -> None:
    """Known people get their faces, the unknown a cluster; who said so is shown with each face."""
    job = working.ended(working.post("/faces/cluster/dual", {}))
    assert job["state"] == "succeeded", job
    assert (job["counts"]["assigned"]["assigned"], job["counts"]["grouped"]["clusters"]) == (4, 1)
    face = working.get(f"/faces/{filled['face']}")
    assert (face["person_id"], face["assigned_by"]) == (filled["ada"], "machine")
    assert working.get("/faces/clusters")["total"] == 1
    assert working.library.faces.count() == 15
    assert all(payload.person_id or payload.cluster_id for payload in _payloads(working))


def test_assigning(working: Served, filled: dict[str, str]) -> None:
    """Assigning alone groups nothing; a moment from which on faces were found leaves out earlier ones."""
    later = working.ended(working.post("/faces/assign", {"since": "2999-01-01T00:00:00Z"}))
    assert (later["state"], later["counts"]["faces"]) == ("succeeded", 0)
    job = working.ended(working.post("/faces/assign", {}))
    assert (job["state"], job["counts"]["faces"], job["counts"]["assigned"]) == ("succeeded", 10, 4)
    assert working.get("/faces/clusters")["total"] == 0


def test_a_grouping_is_proposed_and_applied(working: Served, filled: dict[str, str]) -> None:
    """It is shown with faces before anything changes, refused after a decision, and done once it is computed
    again and applied; then none waits."""
    assert working.get("/faces/cluster/proposal") == {"proposal": None}
    assert working.ended(working.post("/faces/cluster/proposal", {}))["state"] == "succeeded"
    proposal = working.get("/faces/cluster/proposal")["proposal"]
    assert (proposal["new"], proposal["moved"], proposal["is_stale"]) == (2, 10, False)
    assert [group["size"] for change in proposal["changes"] for group in change["after"]] == [6, 4]
    assert working.get("/faces/clusters")["total"] == 0
    working.post("/decisions/not-a-face", {"face_ids": [filled["face"]]}, status=200)
    refused = working.post(f"/faces/cluster/proposal/{proposal['id']}/apply", status=409)
    assert "decided or grouped" in refused["detail"]
    working.ended(working.post("/faces/cluster/proposal", {}))
    again = working.get("/faces/cluster/proposal")["proposal"]
    working.client.post(f"/api/v1/faces/cluster/proposal/{again['id']}/apply").raise_for_status()
    assert working.get("/faces/clusters")["total"] == 2
    assert working.get("/faces/cluster/proposal") == {"proposal": None}
    working.post(f"/faces/cluster/proposal/{again['id']}/drop", status=404)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/faces/assign", {"since": "2026-01-01T00:00:00"}),
        ("/faces/assign", {"till": None}),
        ("/faces/cluster/dual", {"min_cluster_size": 1}),
    ],
)
def test_what_cannot_be_done_is_refused(api: Served, path: str, body: dict[str, Any]) -> None:
    """A moment without a time zone, an unknown field, a cluster of one: 422, and no job."""
    assert api.post(path, body, status=422)["status"] == 422
    assert api.get("/jobs")["total"] == 0


def _payloads(api: Served) -> list[Any]:
    return [payload for page in api.library.faces.scroll_faces() for payload in page.payloads.values()]
