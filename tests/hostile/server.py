"""A server of an application in a thread, as ``serve`` sets it up."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from image_search_service.api.connections import BACKLOG, PatientProtocol
from tests.support.waiting import wait_until


@contextmanager
def serving(app: Any, protocol: type[PatientProtocol] = PatientProtocol) -> Iterator[int]:
    """Its port. In the end it does not wait for who is still connected."""
    config = uvicorn.Config(
        app, port=0, http=protocol, ws="none", lifespan="off", backlog=BACKLOG, log_config=None
    )
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            wait_until(lambda: server.started)
            yield listening.getsockname()[1]
        finally:
            server.should_exit = server.force_exit = True
            thread.join()
