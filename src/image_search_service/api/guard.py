"""Refuses requests that pages of other sites make: a browser that visits one must not read or change anything
here.

Unknown names of the host are refused (``api/hosts.py``), and so are requests without the token
(``api/token_guard.py``). Changes that a page of another origin asks for are refused (``Origin``), and no
other site may show our pictures (``Cross-Origin-Resource-Policy``). The API answers such pages with nothing
at all, since even an answer that they cannot read costs time (``Sec-Fetch-Site``, which browsers send).
Programs send neither header and are let through.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from fastapi import FastAPI
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from image_search_service.api.errors import ProblemResponse
from image_search_service.api.hosts import HostGuard, allowed_hosts, is_loopback
from image_search_service.api.schemas.problem import Problem
from image_search_service.api.token_guard import API_FOLDER, TokenGuard, TokenPage, own_path
from image_search_service.core.config import Settings
from image_search_service.core.errors import InvalidInputError

SAFE_METHODS: Final = ("GET", "HEAD", "OPTIONS")
OTHER_SITES: Final = ("cross-site", "same-site")
"""What ``Sec-Fetch-Site`` says of pages of other hosts, and of other ports of this host."""
POLICY: Final = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""For answers that are no page; pages bring a policy of their own."""
HEADERS: Final = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def add_guard(app: FastAPI, settings: Settings, *, token: str | None, page: TokenPage | None) -> None:
    """Everything that keeps others out; the outermost layer is added last.

    token: None lets nobody in, unless the settings ask for none. page: what is shown without it.
    Raises InvalidInputError where other machines could come in without a token.
    """
    if settings.require_token:
        app.add_middleware(TokenGuard, token=token, page=page)
    elif not is_loopback(settings.host):
        raise InvalidInputError(
            f"On {settings.host} other machines reach the service, and without a token all see the photos.",
            hint="Drop --no-token (IMAGE_SEARCH_REQUIRE_TOKEN=false), or listen on this machine only.",
        )
    app.add_middleware(OriginGuard)
    app.add_middleware(HostGuard, hosts=allowed_hosts(settings.host, settings.called_by))


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
        if own_path(scope).startswith(API_FOLDER) and headers.get("sec-fetch-site") in OTHER_SITES:
            await _refused("A page of another site")(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                answered = MutableHeaders(scope=message)
                answered.update(HEADERS)
                answered.setdefault("Content-Security-Policy", POLICY)
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
