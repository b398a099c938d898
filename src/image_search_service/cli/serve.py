"""``image-search serve`` and ``image-search worker``."""

from __future__ import annotations

import socket
import sys
from typing import Annotated

import typer

from image_search_service.cli.address import (
    OpenOption,
    address_with_token,
    on_this_machine,
    open_in_browser,
)
from image_search_service.cli.context import DebugOption, LibraryOption, Running, command_context
from image_search_service.cli.unit import service_unit
from image_search_service.core.access_token import read_token
from image_search_service.core.errors import ConflictError, InvalidInputError
from image_search_service.core.logging import hide_tokens, log_once_a_minute
from image_search_service.core.paths import LibraryPaths
from image_search_service.library.opening import open_library

GRACE_SECONDS = 5
"""How long requests may take to end when the service is stopped; streams of events would go on for ever."""


HostOption = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="Address to listen on.  [default: 127.0.0.1]"),
]
PortOption = Annotated[int | None, typer.Option(min=0, max=65535, help="Port to listen on.  [default: 8000]")]
NoTokenOption = Annotated[
    bool,
    typer.Option("--no-token", help="Let every user and program of this machine in; on loopback only."),
]
WatchOption = Annotated[
    bool | None,
    typer.Option("--watch", help="Index new and changed photos in the library's folders automatically."),
]
WatchMinutesOption = Annotated[
    int | None, typer.Option(min=1, help="Minutes between two looks at all folders.  [default: 15]")
]
PublicUrlOption = Annotated[
    str | None,
    typer.Option(metavar="URL", help="Address by which browsers reach it through a proxy."),
]
RootPathOption = Annotated[
    str | None, typer.Option(metavar="PATH", help="Path below which a proxy serves it, such as /people.")
]
ForwardedOption = Annotated[
    str | None,
    typer.Option(metavar="ADDRESSES", help="Proxies whose X-Forwarded headers are believed."),
]
PrintUnitOption = Annotated[
    bool,
    typer.Option("--print-unit", help="Print a systemd unit that serves this library, and end."),
]


def serve(
    host: HostOption = None,
    port: PortOption = None,
    open_it: OpenOption = False,
    no_token: NoTokenOption = False,
    watch: WatchOption = None,
    watch_minutes: WatchMinutesOption = None,
    public_url: PublicUrlOption = None,
    root_path: RootPathOption = None,
    forwarded_allow_ips: ForwardedOption = None,
    print_unit: PrintUnitOption = False,
    library: LibraryOption = None,
    debug: DebugOption = False,
) -> None:
    """Serve pages and the HTTP API, and run jobs.

    It prints the address, with a token in it.
    """
    settings = {
        "library": library,
        "host": host,
        "port": port,
        "require_token": False if no_token else None,
        "watch": watch,
        "watch_minutes": watch_minutes,
        "public_url": public_url,
        "root_path": root_path,
        "forwarded_allow_ips": forwarded_allow_ips,
    }
    with command_context(as_json=False, debug=debug, **settings) as run:
        if print_unit:
            given = {name: value for name, value in settings.items() if value is not None}
            sys.stdout.write(service_unit(run.settings, given))
        else:
            _serve(run, open_it=open_it, debug=debug)


def _serve(run: Running, *, open_it: bool, debug: bool) -> None:
    """Until a signal ends it."""
    import uvicorn
    from uvicorn.config import LOGGING_CONFIG

    from image_search_service.api.connections import BACKLOG, PatientProtocol
    from image_search_service.main import create_app, prepare_to_serve, read_ahead
    from image_search_service.worker import stopped_by_signals

    # uvicorn stops by signals and raises them again when it has ended: what is open is closed first.
    with (
        hide_tokens("uvicorn.access"),
        log_once_a_minute("uvicorn.error", "asyncio"),
        listening_socket(run.settings.host, run.settings.port) as listening,
        open_library(
            run.settings, run.out.note, run.out.progress, address=_local_address(listening)
        ) as opened,
        stopped_by_signals() as stop,
    ):
        opened.job_queue.check()
        app = create_app(opened)
        _announce(run, opened.paths, listening, open_it=open_it)
        config = uvicorn.Config(
            app,
            log_level="info" if debug else "warning",
            log_config=None if run.settings.log_json else LOGGING_CONFIG,
            use_colors=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
            server_header=False,
            http=PatientProtocol,
            ws="none",
            backlog=BACKLOG,
            root_path=run.settings.public_path,
            proxy_headers=run.settings.forwarded_allow_ips is not None,
            forwarded_allow_ips=run.settings.forwarded_allow_ips,
        )
        prepare_to_serve()
        reading = read_ahead(opened)
        server = uvicorn.Server(config)
        server.should_exit = stop.is_set()  # by a signal that came before uvicorn hears them
        server.run([listening])
        reading.join()


def listening_socket(host: str, port: int) -> socket.socket:
    """A socket that listens there. Raises ConflictError when that cannot be.

    What it accepts sends at once (TCP_NODELAY, which accepted sockets inherit): an answer is two small
    writes, its head and its body, and Nagle's algorithm would keep the second until the first is
    acknowledged, which takes 40 ms. asyncio sets it only where a socket's protocol is named; this one's is 0.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family)
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError as error:
        raise ConflictError(
            f"Port {port} of {host} cannot be listened on: {error.strerror or error}.",
            hint="Choose another port with --port, or another address with --host.",
        ) from None
    return listening


def _announce(run: Running, paths: LibraryPaths, listening: socket.socket, *, open_it: bool) -> None:
    token = read_token(paths.token) if run.settings.require_token else None
    public = run.settings.public_url
    here = address_with_token(public or _local_address(listening), token)
    run.out.note(f"Serving {here}")
    if public is None and _local_address(listening) != _address(listening):
        port = listening.getsockname()[1]
        run.out.note(f"From other machines: {address_with_token(f'http://{_machine()}:{port}', token)}")
    run.out.note("The API is described at /docs there. Ctrl-C ends.")
    if open_it:
        open_in_browser(paths, here, run.out)


def _machine() -> str:
    return socket.gethostname().lower()


def _address(listening: socket.socket) -> str:
    host, port, *_ = listening.getsockname()
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _local_address(listening: socket.socket) -> str:
    """By which a process on this machine reaches the service."""
    return on_this_machine(_address(listening))


def worker(library: LibraryOption = None, debug: DebugOption = False) -> None:
    """Run jobs of a library whose stores are servers.

    The stores must be Qdrant, PostgreSQL and Redis servers. Several workers may run at once.
    """
    with command_context(as_json=False, debug=debug, library=library) as run:
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
