"""How large the body of a request may be, by route."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from fastapi import FastAPI, Request
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from image_search_service.api.errors import ProblemResponse, body_too_large
from image_search_service.api.token_guard import own_path

SMALL: Final = 8 * 2**20
"""Bytes of JSON: ten thousand ids of faces are 400 kB, five thousand long names a few MB."""
LIMITS: Final[Mapping[str, int]] = {"/api/v1/import": 2**30}
"""Of routes that read their body as a stream: bytes that may come."""

CLOSE: Final = {"Connection": "close"}
"""The rest of the body is not read, so that no other request can follow on the connection."""


class BodyTooLarge(HTTPException):
    """Raised while a body is read that says nothing of its length. Whoever reads it passes on errors of this
    kind alone."""

    def __init__(self, limit: int) -> None:
        super().__init__(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        self.limit = limit


def add_body_limits(app: FastAPI) -> None:
    app.add_middleware(BodyLimits)
    app.add_exception_handler(BodyTooLarge, _refused)


def _refused(_request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, BodyTooLarge)  # noqa: S101 - it is registered for no other
    return ProblemResponse(body_too_large(error.limit), CLOSE)


class BodyLimits:
    """Refuses a body by the length that it says, else when it has become too long."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = LIMITS.get(own_path(scope), SMALL)
        length = Headers(scope=scope).get("content-length", "")
        if length.isdecimal() and int(length) > limit:
            await ProblemResponse(body_too_large(limit), CLOSE)(scope, receive, send)
            return
        received = 0

        async def receive_some() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise BodyTooLarge(limit)
            return message

        await self._app(scope, receive_some, send)
