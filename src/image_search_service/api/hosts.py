"""By which names the service may be called: a foreign name that leads here ("DNS rebinding") is refused.

A page at any name whose owner makes it lead to this machine would be of the same origin as ours. So the name
that a browser gives must be one of ours. An address in digits is safe beyond loopback: no name leads to it.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import ip_address
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from image_search_service.api.errors import ProblemResponse
from image_search_service.api.schemas.problem import Problem

LOOPBACK_NAMES: Final = ("localhost", "127.0.0.1", "::1")
_HOST: Final = re.compile(r"(?:\[(?P<address>[0-9a-f:.]+)\]|(?P<name>[^\[\]:/?#@\s]+))(?::[0-9]*)?")


@dataclass(frozen=True, slots=True)
class AllowedHosts:
    """names: in lower case; ``*.example.org`` for all below it, ``*`` for any. any_address: digits, too."""

    names: tuple[str, ...]
    any_address: bool

    def allow(self, header: str) -> bool:
        """``header``: a request's ``Host``."""
        name = _host_name(header)
        if name is None:
            return False
        return any(_matches(name, pattern) for pattern in self.names) or (
            self.any_address and _is_address(name)
        )


def allowed_hosts(host: str, more: Sequence[str]) -> AllowedHosts:
    """Those of a service that listens on ``host``; ``more``: further names.

    This machine's always: commands call by them. Beyond loopback the machine's own name, with and without
    ``.local``, what it listens on, and any address in digits.
    """
    names = [*LOOPBACK_NAMES, host, *more]
    beyond = not is_loopback(host)
    if beyond:
        machine = socket.gethostname().lower()
        names += [machine, machine.partition(".")[0], f"{machine.partition('.')[0]}.local"]
    cleaned = (name.strip().strip("[]").lower() for name in names)
    return AllowedHosts(tuple(dict.fromkeys(name for name in cleaned if name)), any_address=beyond)


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class HostGuard:
    """Answers 400 to whoever calls the service by a name that is not its own."""

    def __init__(self, app: ASGIApp, *, hosts: AllowedHosts) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or self._hosts.allow(Headers(scope=scope).get("host", "")):
            await self._app(scope, receive, send)
            return
        await _refused(self._hosts.names)(scope, receive, send)


def _host_name(header: str) -> str | None:
    """The name in ``name:port``, in lower case; None for what is none."""
    match = _HOST.fullmatch(header.lower())
    return (match["address"] or match["name"]).rstrip(".") if match else None


def _matches(name: str, pattern: str) -> bool:
    return pattern in ("*", name) or (pattern.startswith("*.") and name.endswith(pattern[1:]))


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _refused(names: Sequence[str]) -> ProblemResponse:
    return ProblemResponse(
        Problem(
            type="urn:image-search:foreign-host",
            title="Foreign host",
            status=HTTPStatus.BAD_REQUEST,
            detail=f"The service is not called by that name, but by {', '.join(names)}.",
            hint="IMAGE_SEARCH_ALLOWED_HOSTS adds names, with commas between.",
        )
    )
