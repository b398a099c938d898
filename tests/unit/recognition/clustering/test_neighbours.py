"""The neighbour graph against the full matrix of similarities."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from image_search_service.core.errors import NotEnoughMemoryError
from image_search_service.core.types import FloatArray, IntArray
from image_search_service.recognition.clustering import candidates, cells, neighbours
from image_search_service.recognition.clustering.neighbours import NeighbourGraph, block_size, neighbour_graph
from image_search_service.recognition.made_up import SFACE_SPREAD

MEMORY = 1 << 26


def unit_rows(n: int, d: int = 8, seed: int = 0) -> FloatArray:
    rows = np.random.default_rng(seed).standard_normal((n, d)).astype(np.float32)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def graph(embeddings: FloatArray, photos: IntArray | None = None, **options: Any) -> NeighbourGraph:
    settings: dict[str, Any] = {"similarity": 0.3, "neighbours": 5, "memory": MEMORY} | options
    photos = np.arange(len(embeddings)) if photos is None else photos
    return neighbour_graph(embeddings, photos, **settings)


def edges(found: NeighbourGraph) -> set[tuple[int, int]]:
    pairs = list(zip(found.left.tolist(), found.right.tolist(), strict=True))
    assert len(pairs) == len(set(pairs))
    return set(pairs)


def by_definition(
    embeddings: FloatArray, photos: IntArray, similarity: float, count: int
) -> set[tuple[int, int]]:
    """Each face chooses its most similar ones from the full matrix."""
    full = embeddings @ embeddings.T
    full[photos[:, None] == photos[None]] = -np.inf
    chosen = set()
    for face, row in enumerate(full):
        for other in np.argsort(-row, kind="stable")[:count]:
            if row[other] >= similarity:
                chosen.add((min(face, int(other)), max(face, int(other))))
    return chosen


@pytest.mark.parametrize("block", [7, 16, 2048])
@pytest.mark.parametrize("limit", [1, MEMORY])
def test_it_is_exact(monkeypatch: pytest.MonkeyPatch, block: int, limit: int) -> None:
    """In blocks of any size, sorted often or once, the edges are those of the full matrix."""
    monkeypatch.setattr(neighbours, "block_size", lambda _: block)
    monkeypatch.setattr(candidates, "BYTES_PER_CANDIDATE", MEMORY // 4 // 600 if limit == 1 else 64)
    embeddings, photos = unit_rows(100), np.arange(100) // 3
    found = graph(embeddings, photos)
    assert edges(found) == by_definition(embeddings, photos, 0.3, 5)
    expected = np.einsum("ij,ij->i", embeddings[found.left], embeddings[found.right])
    np.testing.assert_allclose(found.similarity, expected, atol=1e-6)


def test_identical_faces_keep_their_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Among more equal faces than neighbours, each is joined to the first ones, so all hang together."""
    monkeypatch.setattr(neighbours, "block_size", lambda _: 8)
    embeddings = np.repeat(unit_rows(1), 40, axis=0)
    found = edges(graph(embeddings, neighbours=3))
    assert all((0, other) in found for other in range(1, 40))


def test_faces_of_one_photo_are_never_joined() -> None:
    """Not even when they are equal."""
    embeddings = np.repeat(unit_rows(1), 4, axis=0)
    assert edges(graph(embeddings, np.array([1, 1, 2, 2]))) == {(0, 2), (0, 3), (1, 2), (1, 3)}


@pytest.mark.parametrize("n", [0, 1, 3])
def test_fewer_faces_than_neighbours(n: int) -> None:
    """No face, one face, a few: an ordinary graph with the edges there are."""
    found = graph(unit_rows(n), similarity=-1.0, neighbours=10)
    assert found.faces == n
    assert len(edges(found)) == n * (n - 1) // 2


def test_a_similarity_of_zero_is_an_edge() -> None:
    """Two faces at right angles are neighbours where the threshold allows it."""
    found = graph(np.eye(2, dtype=np.float32), similarity=0.0)
    assert found.similarity.tolist() == [0.0]


def test_progress_ends_with_all() -> None:
    """Progress counts up to the number of blocks."""
    seen: list[tuple[int, int | None]] = []
    graph(unit_rows(500), progress=lambda done, total: seen.append((done, total)), memory=1 << 22)
    assert [done for done, _ in seen] == list(range(1, len(seen) + 1))
    assert seen[-1] == (len(seen), len(seen))


def test_memory_makes_blocks_small() -> None:
    """A block shrinks with the memory allowed, within sensible bounds."""
    assert block_size(1) == neighbours.SMALLEST_BLOCK
    assert block_size(1 << 40) == neighbours.LARGEST_BLOCK
    assert neighbours.SMALLEST_BLOCK < block_size(1 << 26) < neighbours.LARGEST_BLOCK


@pytest.mark.parametrize("exact_faces", [0, 1_000])
def test_edges_that_do_not_fit_are_refused(monkeypatch: pytest.MonkeyPatch, exact_faces: int) -> None:
    """Rather than take more memory than allowed, it says how much would do."""
    monkeypatch.setattr(neighbours, "EXACT_FACES", exact_faces)
    with pytest.raises(NotEnoughMemoryError, match="MiB"):
        graph(np.repeat(unit_rows(1), 300, axis=0), memory=4 * 64 * 1000)


def people(n: int, each: int) -> FloatArray:
    """Made-up faces, so many of each person, person by person."""
    spread = SFACE_SPREAD.faces(np.random.default_rng(0), np.repeat(np.arange(n), each))
    return np.concatenate(list(spread))


def test_many_faces_are_searched_in_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the number up to which all are compared with all, nearly all edges are found, and no others."""
    embeddings, photos = people(600, 3), np.arange(1_800) // 2
    exact = edges(graph(embeddings, photos, similarity=0.45))
    monkeypatch.setattr(neighbours, "EXACT_FACES", 1_799)
    found = edges(graph(embeddings, photos, similarity=0.45))
    assert found <= exact
    assert len(found) >= 0.99 * len(exact)


def test_cells_choose_the_most_similar(monkeypatch: pytest.MonkeyPatch) -> None:
    """With all cells looked into, in small blocks and slabs, the choice is the exact one, of crowds, too."""
    embeddings, photos = people(3, 60), np.arange(180) // 2
    exact = edges(graph(embeddings, photos, neighbours=4))
    monkeypatch.setattr(neighbours, "EXACT_FACES", 0)
    monkeypatch.setattr(cells, "probes_needed", lambda _faces, divisions: len(divisions[0].centers))
    monkeypatch.setattr(cells, "BLOCK", 16)
    monkeypatch.setattr(cells, "SLAB", 50)
    assert edges(graph(embeddings, photos, neighbours=4)) == exact


def test_cells_without_any_neighbour(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody resembles anybody one cell is looked into, and there is no edge."""
    monkeypatch.setattr(neighbours, "EXACT_FACES", 0)
    assert edges(graph(unit_rows(50), similarity=0.999)) == set()
