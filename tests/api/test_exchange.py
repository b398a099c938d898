"""What humans said, out of one library and into another, over HTTP."""

from __future__ import annotations

from tests.support.served import Served
from tests.support.world import World


def test_out_and_in(api: Served) -> None:
    """What is exported the same library knows already; what is wrong is told by its line."""
    with api.library.database.write() as session:
        world = World(session)
        faces = [str(world.face(world.photo(f"/{number}.jpg")).id) for number in range(3)]
    api.post("/decisions/split", {"face_ids": faces, "name": "Ada"}, status=200)
    answer = api.client.get("/api/v1/export")
    assert answer.status_code == 200
    assert len(answer.text.splitlines()) == 1 + 1 + 3 + 1 + 1
    text = {"content-type": "text/plain"}
    done = api.client.post("/api/v1/import", content=answer.content, headers=text)
    assert (done.status_code, done.json()["matched"], done.json()["changed"]) == (200, 3, 0)
    for wrong in (b"", b"{}", answer.content + b"{", b"\xff\xfe"):
        refused = api.client.post("/api/v1/import", content=wrong, headers=text)
        assert refused.status_code == 422, refused.text
