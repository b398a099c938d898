"""The five steps of indexing."""

from __future__ import annotations

from pathlib import Path

import pytest

from image_search_service.library.engine import no_watch
from image_search_service.library.health import library_counts
from image_search_service.library.opening import Library
from image_search_service.services.indexing import indexer, pipeline
from image_search_service.services.indexing.report import IndexReport


def test_faces_are_grouped_while_photos_are_being_read(
    opened: Library, album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a long run there are groups before the last photo is read, and few groupings however many photos."""
    monkeypatch.setattr(pipeline, "FIRST_GROUPING", 15)
    monkeypatch.setattr(indexer, "STORE_BATCH", 4)
    clusters: list[int] = []
    done = pipeline.index_photos(
        opened.stores,
        [album],
        actor="test",
        watch=no_watch,
        report_changed=lambda _: clusters.append(library_counts(opened).clusters),
    )
    assert clusters[0] == 0
    assert 0 < clusters[-1] <= done.counts.clusters
    assert len(set(clusters)) == 2


def test_a_few_new_photos_are_grouped_once(
    opened: Library, album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a library that has faces already, a run with few new ones groups in the end only."""
    monkeypatch.setattr(pipeline, "FIRST_GROUPING", 1)
    first, second = sorted(path for path in album.iterdir() if path.is_dir())[:2]
    pipeline.index_photos(opened.stores, [first], actor="test", watch=no_watch)
    before = library_counts(opened)
    clusters: set[int] = set()

    def changed(report: IndexReport) -> None:
        if before.faces + report.faces_new < pipeline.GROWTH * before.faces:
            clusters.add(library_counts(opened).clusters)

    pipeline.index_photos(opened.stores, [second], actor="test", watch=no_watch, report_changed=changed)
    assert clusters == {before.clusters}
