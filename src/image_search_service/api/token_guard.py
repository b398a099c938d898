"""Requires a token: the library's own, or one that somebody was given (``services/access_tokens.py``).

A program sends ``Authorization: Bearer TOKEN``. A browser is given the token once, in the address of any page
(``/?token=…``); it is turned into a cookie and removed from the address, as Jupyter does. Open without it are
``/health`` and the pages' static files, which hold nothing of the library.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from http import HTTPStatus
from typing import Final
from urllib.parse import quote, urlencode

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from image_search_service.api.deps import library_of
from image_search_service.api.errors import ProblemResponse, answer_of, token_problem
from image_search_service.core.access_token import Caller, same_token
from image_search_service.core.errors import ImageSearchError
from image_search_service.services.access_tokens import AccessTokenService

PARAMETER: Final = "token"
ADDRESS_COMMAND: Final = "image-search address"
"""What prints the address of a running service, with its token."""
COOKIE_SECONDS: Final = 365 * 24 * 3600
OPEN_PATHS: Final = ("/health", "/favicon.ico")
OPEN_FOLDER: Final = "/static/"
API_FOLDER: Final = "/api/"
NOT_KEPT: Final = {"Cache-Control": "no-store"}
CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="image-search"', **NOT_KEPT}

TokenPage = Callable[[Request, str], Response]
"""The page for a browser without the token; the second argument is the command that prints the address."""


@dataclass(frozen=True, slots=True)
class TokenCookie:
    """Keeps the token of whoever came last. Cookies do not know ports, so each service's has a name of its
    own, after the library's token ``own``: two services on one machine do not take each other's away."""

    own: str

    @property
    def name(self) -> str:
        return f"image-search-{hashlib.sha256(self.own.encode()).hexdigest()[:8]}"

    def set_on(self, response: Response, token: str, *, root: str, secure: bool) -> None:
        """root: the path below which a proxy serves us; the cookie is sent to nothing else there."""
        response.set_cookie(
            self.name,
            token,
            max_age=COOKIE_SECONDS,
            path=f"{root}/",
            httponly=True,
            samesite="strict",
            secure=secure,
        )


class TokenGuard:
    """``token``: the library's own; None refuses everybody. ``page``: shown to a browser without a token."""

    def __init__(self, app: ASGIApp, *, token: str | None, page: TokenPage | None) -> None:
        self._app = app
        self._own = token
        self._page = page or plain_token_page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._app
        if scope["type"] == "http":
            app = await self._answer(Request(scope)) or app
        await app(scope, receive, send)

    async def _answer(self, request: Request) -> Response | None:
        """What is said in place of the application; None lets the request through, with its caller."""
        path = own_path(request.scope)
        if path in OPEN_PATHS or path.startswith(OPEN_FOLDER):
            return None
        wants_page = _wants_page(request, path)
        try:
            caller = await self._caller(request, self._tokens(request))
            if wants_page and PARAMETER in request.query_params:
                newcomer = await self._caller(request, [request.query_params[PARAMETER]])
                if newcomer or caller:
                    return self._without_token(request, newcomer)
        except ImageSearchError as error:  # SQL is away: nobody can say whose a token is
            return answer_of(error)
        if caller is not None:
            request.state.caller = caller
            return None
        return self._refusal(request, wants_page=wants_page)

    def _tokens(self, request: Request) -> list[str]:
        """What a program sends, then what a browser does."""
        scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
        sent = [credentials.strip()] if scheme.lower() == "bearer" else []
        kept = None if self._own is None else request.cookies.get(TokenCookie(self._own).name)
        return sent if kept is None else [*sent, kept]

    async def _caller(self, request: Request, tokens: list[str]) -> Caller | None:
        """Whose the first of these tokens is that is somebody's; SQL is not asked for the library's own."""
        if self._own is None:
            return None
        for token in tokens:
            if same_token(token, self._own):
                return Caller(token)
            users = AccessTokenService(library_of(request).database)
            caller = await run_in_threadpool(users.caller, token)
            if caller is not None:
                return caller
        return None

    def _without_token(self, request: Request, newcomer: Caller | None) -> Response:
        """To the same page by an address without the token; the browser keeps a newcomer's."""
        response = Response(
            status_code=HTTPStatus.SEE_OTHER, headers={"Location": _address(request), **NOT_KEPT}
        )
        if newcomer is not None and self._own is not None:
            root = request.scope.get("root_path", "")
            secure = request.url.scheme == "https"
            TokenCookie(self._own).set_on(response, newcomer.token, root=root, secure=secure)
        return response

    def _refusal(self, request: Request, *, wants_page: bool) -> Response:
        if not wants_page:
            return ProblemResponse(token_problem(), CHALLENGE)
        if _comes_from_elsewhere(request):
            return _page_again(request)
        page = self._page(request, ADDRESS_COMMAND)
        page.headers.update(NOT_KEPT)
        return page


def own_path(scope: Scope) -> str:
    """The request's path within this service, without the folder that a proxy may put it into."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


def _wants_page(request: Request, path: str) -> bool:
    return (
        request.method in ("GET", "HEAD")
        and not path.startswith(API_FOLDER)
        and "text/html" in request.headers.get("accept", "")
    )


def _comes_from_elsewhere(request: Request) -> bool:
    """Whether a link on another site's page, or in a file, led the browser here: it holds the cookie back."""
    headers = request.headers
    return headers.get("sec-fetch-dest") == "document" and headers.get("sec-fetch-site") in (
        "cross-site",
        "same-site",
    )


def _address(request: Request) -> str:
    """Path and query without the token, always on this host: no second slash makes another host of it."""
    path = "/" + quote(request.scope["path"].lstrip("/"))
    others = [(name, value) for name, value in request.query_params.multi_items() if name != PARAMETER]
    return f"{path}?{urlencode(others)}" if others else path


def _page_again(request: Request) -> HTMLResponse:
    """Leads to the same page from one of our own, so that the browser sends the cookie if it has it."""
    address = escape(_address(request))
    content = (
        f'<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url={address}">'
        f'<title>image-search-service</title><p><a href="{address}">Go on</a>'
    )
    return HTMLResponse(content, headers=NOT_KEPT)


def plain_token_page(request: Request, command: str) -> HTMLResponse:
    """Where the token is found, without style or script."""
    wrong = "<p><strong>This is not the token.</strong></p>" if PARAMETER in request.query_params else ""
    content = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>A token is needed</title></head><body>
<h1>These photos are private</h1>{wrong}
<p>Come with the address that the service printed when it started: it holds a token. This prints it again:</p>
<p><code>{escape(command)}</code></p>
<form method="get"><p><label>Or put the token in here:
<input name="{PARAMETER}" type="password" autocomplete="off" required></label>
<button>Go on</button></p></form>
</body></html>"""
    headers = {"Content-Security-Policy": "default-src 'none'; form-action 'self'; frame-ancestors 'none'"}
    return HTMLResponse(content, HTTPStatus.UNAUTHORIZED, headers)
