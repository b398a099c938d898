"""What a request needs before its route is called."""

from __future__ import annotations

from functools import partial
from typing import Any

import anyio.to_thread
import pytest

from tests.support.served import Served, add_faces, directions
from tests.support.world import World


@pytest.fixture
def in_threads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the functions that are given a thread, in their order."""
    names: list[str] = []
    run_sync = anyio.to_thread.run_sync

    async def noted(function: Any, *args: Any, **options: Any) -> Any:
        called = function.func if isinstance(function, partial) else function
        names.append(called.__name__)
        return await run_sync(function, *args, **options)

    monkeypatch.setattr(anyio.to_thread, "run_sync", noted)
    return names


def test_a_request_takes_a_thread_for_what_blocks(api: Served, in_threads: list[str]) -> None:
    """A decision's route, its answer and what follows it are given a thread each; what only puts the route's
    services together is not, since each would wait for one of the server's 40."""
    with api.library.database.write() as session:
        world = World(session)
        cluster = world.cluster(add_faces(api.library, world, directions(3))).id
    in_threads.clear()
    api.post("/decisions/name-clusters", {"cluster_ids": [str(cluster)], "name": "Ada"}, status=200)
    assert (len(in_threads), in_threads[1:]) == (3, ["validate", "send_if_it_answers"])


@pytest.mark.parametrize(
    "path", ["/persons", "/faces/clusters", "/assets", "/suggestions", "/decisions", "/jobs"]
)
def test_a_list_takes_one_thread_and_one_for_its_answer(
    api: Served, in_threads: list[str], path: str
) -> None:
    """Lists read in one thread; their answers are validated in another."""
    in_threads.clear()
    api.get(path)
    assert (len(in_threads), in_threads[1]) == (2, "validate")
