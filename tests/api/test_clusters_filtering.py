"""Clusters are filtered before they are paged: pages neither overlap nor lie about the total."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.served import Served, served
from tests.support.world import World

SIZES = [2, 3, 3, 5, 8, 8, 8, 13, 21]


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One API for all tests: they only read."""
    with served(tmp_path_factory.mktemp("served"), run_jobs=False) as opened:
        yield opened


@pytest.fixture(scope="module", autouse=True)
def clusters(api: Served) -> list[str]:
    """Clusters of these sizes; a cluster's confidence is its place in the list, in tenths."""
    with api.library.database.write() as session:
        world = World(session)
        made = []
        for place, size in enumerate(SIZES):
            faces = [world.face(world.photo(f"/photos/{place}/{n}.jpg")) for n in range(size)]
            made.append(str(world.cluster(faces, confidence=place / 10).id))
        return made


def test_all_clusters_largest_first(api: Served, clusters: list[str]) -> None:
    """Without a filter every cluster is listed once, the largest first."""
    page = api.get("/faces/clusters")
    assert [item["size"] for item in page["items"]] == sorted(SIZES, reverse=True)
    assert {item["id"] for item in page["items"]} == set(clusters)
    assert page["total"] == len(SIZES)
    assert page["next_cursor"] is None


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 9, 10])
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, SIZES),
        ({"min_size": 8}, [8, 8, 8, 13, 21]),
        ({"max_size": 3}, [2, 3, 3]),
        ({"min_size": 3, "max_size": 8}, [3, 3, 5, 8, 8, 8]),
        ({"min_confidence": 0.3}, SIZES[3:]),
        ({"max_confidence": 0.1}, [2, 3]),
        ({"min_size": 8, "max_confidence": 0.5}, [8, 8]),
        ({"min_size": 22}, []),
    ],
)
def test_pages_of_what_passes_the_filter(
    api: Served, limit: int, query: dict[str, float], expected: list[int]
) -> None:
    """Whatever the size of a page, all pages together are the filtered list, and each tells its length."""
    pages = api.pages("/faces/clusters", limit=limit, **query)
    items = [item for page in pages for item in page["items"]]
    assert [item["size"] for item in items] == sorted(expected, reverse=True)
    assert len({item["id"] for item in items}) == len(expected)
    assert {page["total"] for page in pages} == {len(expected)}
    assert all(len(page["items"]) == limit for page in pages[:-1])


def test_bounds_are_inclusive(api: Served) -> None:
    """A cluster of exactly the size and confidence asked for is listed."""
    page = api.get("/faces/clusters", min_size=5, max_size=5, min_confidence=0.3, max_confidence=0.3)
    assert [item["size"] for item in page["items"]] == [5]


@pytest.mark.parametrize(
    "query",
    [
        {"min_size": 0},
        {"min_size": 2**40},
        {"min_confidence": 2},
        {"max_confidence": "nan"},
        {"limit": 0},
        {"limit": 10_000},
        {"cursor": "nonsense"},
        {"cursor": "WzEsMl0"},
        {"cursor": "bnVsbA"},
    ],
)
def test_wrong_filters_are_refused(api: Served, query: dict[str, object]) -> None:
    """A filter, limit or cursor that makes no sense is said to be wrong, with what would be right."""
    problem = api.get("/faces/clusters", status=422, **query)
    assert problem["type"] == "urn:image-search:invalid-input"
    assert problem["hint"]


def test_one_cluster_with_its_faces(api: Served, clusters: list[str]) -> None:
    """A cluster's faces come in pages, each face once."""
    seen: list[str] = []
    cursor = None
    while True:
        detail = api.get(
            f"/faces/clusters/{clusters[-1]}", limit=10, **({"cursor": cursor} if cursor else {})
        )
        assert detail["cluster"]["size"] == detail["faces"]["total"] == 21
        seen += [face["id"] for face in detail["faces"]["items"]]
        cursor = detail["faces"]["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 21
    assert all(face["cluster_id"] == clusters[-1] for face in detail["faces"]["items"])


def test_an_unknown_cluster_is_not_found(api: Served) -> None:
    """An id that there is not is a problem of its own type."""
    problem = api.get("/faces/clusters/3f2a0c9e-5d0b-4a57-9d3b-8a8b2f1c6e01", status=404)
    assert problem["type"] == "urn:image-search:not-found"
