"""Keeps pages of other sites out: a browser that visits one must not be led to read or change anything here.

Names of the host that are not ours are refused (a foreign name that leads to 127.0.0.1, "DNS rebinding"),
changes that a page of another origin asks for are refused (``Origin``), and no other site may show our
pictures (``Cross-Origin-Resource-Policy``). What is large is given to none of them (``Sec-Fetch-Site``, which
browsers send). Programs send neither header and are let through.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from fastapi import FastAPI
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from image_search_service.api.errors import ProblemResponse
from image_search_service.api.schemas.problem import Problem

LOOPBACK_NAMES: Final = ("localhost", "127.0.0.1", "[::1]")
SAFE_METHODS: Final = ("GET", "HEAD", "OPTIONS")
LARGE_PATHS: Final = ("/api/v1/backup",)
"""What costs so much that no foreign page may even ask for it, although it could not read the answer."""
HEADERS: Final = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def add_guard(app: FastAPI, *, host: str, allowed_hosts: str | None) -> None:
    """``host``: the address listened on. ``allowed_hosts``: names with commas between, or None."""
    app.add_middleware(OriginGuard)
    app.add_middleware(
        TrustedHostMiddleware, allowed_hosts=host_names(host, allowed_hosts), www_redirect=False
    )


def host_names(host: str, allowed_hosts: str | None) -> list[str]:
    """By which names the service may be called: on loopback this machine's, else any, unless it is said.

    This machine's always: a foreign name that leads here is not among them, and commands call by them.
    """
    if allowed_hosts is not None:
        return [*LOOPBACK_NAMES, *(name.strip() for name in allowed_hosts.split(",") if name.strip())]
    return [*LOOPBACK_NAMES, host] if is_loopback(host) else ["*"]


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class OriginGuard:
    """Refuses changes that a page of another origin asks for; adds headers that keep our answers ours."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        if scope["method"] not in SAFE_METHODS and not _is_own(origin, headers.get("host")):
            await _refused(str(origin))(scope, receive, send)
            return
        if scope["path"] in LARGE_PATHS and headers.get("sec-fetch-site") in ("cross-site", "same-site"):
            await _refused("A page of another site")(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _is_own(origin: str | None, host: str | None) -> bool:
    if origin is None:
        return True
    try:
        return urlsplit(origin).netloc == host
    except ValueError:
        return False


def _refused(origin: str) -> ProblemResponse:
    return ProblemResponse(
        Problem(
            type="urn:image-search:foreign-origin",
            title="Foreign origin",
            status=403,
            detail=f"{origin} may not do that here.",
            hint="Pages of other sites may not call this service.",
        )
    )
