"""The same library on the stores of one machine, and on servers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from image_search_service.core.config import Settings
from image_search_service.library.opening import Library, open_library
from image_search_service.vector.embedded import EmbeddedQdrant
from tests.support.databases import depth, migrated_schema
from tests.support.qdrant_server import QdrantServer
from tests.support.served import bind, no_bar
from tests.support.world import put_database

STORES = ("embedded", depth("servers"))


@contextmanager
def library_on(stores: str, folder: Path) -> Iterator[Library]:
    """A library of the synthetic engine without a face: on SQLite and embedded Qdrant, or on PostgreSQL and a
    Qdrant server. Skips where there is no PostgreSQL."""
    same = Settings(library=folder / "library", engine="synthetic", offline=True, workers=1)
    if stores == "embedded":
        put_database(same.library)
        with open_library(same, lambda _: None, no_bar) as opened:
            bind(opened)
            yield opened
        return
    with (
        migrated_schema() as database,
        EmbeddedQdrant(folder / "server") as engine,
        QdrantServer(engine) as server,
    ):
        url = {"database_url": database.render_as_string(hide_password=False)}
        settings = same.model_copy(update=url | server.settings)
        with open_library(settings, lambda _: None, no_bar) as opened:
            bind(opened)
            yield opened
