"""``image-search serve`` and ``image-search worker``."""

from __future__ import annotations

from typing import Annotated

import typer

from image_search_service.bootstrap import open_library
from image_search_service.cli.context import DebugOption, LibraryOption, running
from image_search_service.core.errors import InvalidInputError

GRACE_SECONDS = 5
"""How long requests may take to end when the service is stopped; streams of events would go on for ever."""


def serve(
    host: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Address to listen on.  [default: this machine only]"),
    ] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port.  [default: 8000]")] = None,
    library: LibraryOption = None,
    debug: DebugOption = False,
) -> None:
    """Serve the library's HTTP API, and run its jobs."""
    with running(as_json=False, debug=debug, library=library, host=host, port=port) as run:
        import uvicorn

        from image_search_service.main import create_app_on
        from image_search_service.worker import stopped_by_signals

        # uvicorn stops by signals and raises them again when it has ended: what is open is closed first.
        with open_library(run.settings, run.out.note, run.out.progress) as opened, stopped_by_signals():
            run.out.note(f"Serving http://{_shown(run.settings.host)}:{run.settings.port} (see /docs there).")
            config = uvicorn.Config(
                create_app_on(opened),
                host=run.settings.host,
                port=run.settings.port,
                log_level="info" if debug else "warning",
                timeout_graceful_shutdown=GRACE_SECONDS,
                server_header=False,
            )
            uvicorn.Server(config).run()


def worker(library: LibraryOption = None, debug: DebugOption = False) -> None:
    """Run jobs for a library on servers: Qdrant, PostgreSQL and Redis. Start as many as wanted."""
    with running(as_json=False, debug=debug, library=library) as run:
        if not run.settings.stores_are_shared:
            raise InvalidInputError(
                "Workers need a library that several processes can use at once.",
                hint="Set IMAGE_SEARCH_QDRANT_URL, IMAGE_SEARCH_DATABASE_URL and IMAGE_SEARCH_REDIS_URL; "
                "without them, `image-search serve` runs the jobs itself.",
            )
        from image_search_service.worker import run_worker, stopped_by_signals

        with (
            open_library(run.settings, run.out.note, run.out.progress) as opened,
            stopped_by_signals() as stop,
        ):
            run.out.note("Waiting for jobs. Ctrl-C ends.")
            run_worker(opened, stop)


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host
