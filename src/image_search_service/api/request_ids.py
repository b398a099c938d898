"""Every request has an id: in each line that is logged for it, in its answer's head, in a problem's body."""

from __future__ import annotations

import re
import uuid
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from image_search_service.api.errors import REQUEST_ID
from image_search_service.core.logging import REQUEST

_GIVEN: Final = re.compile(r"[A-Za-z0-9_-]{8,128}")
"""What a proxy or a client may choose: nothing that could be taken for something else in a log."""


class RequestIds:
    """Takes the id that the request brings, or gives it one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(REQUEST_ID, "")
        request_id = given if _GIVEN.fullmatch(given) else uuid.uuid4().hex
        REQUEST.set(request_id)  # for this request alone: each is answered in a context of its own

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).setdefault(REQUEST_ID, request_id)
            await send(message)

        await self._app(scope, receive, send_with_id)
