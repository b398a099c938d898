"""Export of decisions, and import from another library."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from tempfile import TemporaryFile
from typing import IO, Annotated, Any, Final

from fastapi import APIRouter, BackgroundTasks, Depends, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from image_search_service.api.deps import ACTOR, Actor, MayNameOthers, Opened
from image_search_service.api.errors import problems
from image_search_service.api.schemas.exchange import Imported
from image_search_service.api.turns import TRANSFERS, in_turn
from image_search_service.services.exchange.lines import read_lines
from image_search_service.services.exchange.service import ExchangeService
from image_search_service.services.indexing.drawing import FaceDrawer

router = APIRouter(tags=["decisions"], dependencies=[in_turn(TRANSFERS)])

LINES: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "JSON Lines.", "content": {"application/jsonl": {"schema": {"type": "string"}}}}
}
BODY: Final = {
    "requestBody": {
        "description": "What an export wrote, JSON Lines.",
        "required": True,
        "content": {"text/plain": {"schema": {"type": "string"}}},
    }
}
CHUNK: Final = 2**16


async def _uploaded(request: Request) -> AsyncIterator[IO[bytes]]:
    """The body, in a file without a name: it may be larger than the memory."""
    with TemporaryFile() as file:
        async for chunk in request.stream():
            await run_in_threadpool(file.write, chunk)
        await run_in_threadpool(file.seek, 0)
        yield file


Uploaded = Annotated[IO[bytes], Depends(_uploaded)]


class JsonLines(StreamingResponse):
    """Lines that were written to a file before they are sent."""

    media_type = "application/jsonl"


@router.get("/export", response_class=JsonLines, responses=LINES)
def export(library: Opened) -> JsonLines:
    """Export people, decisions and the faces that they are about, as docs/exchange.md describes."""
    with ExitStack() as stack:
        file = stack.enter_context(TemporaryFile())
        file.writelines(f"{line}\n".encode() for line in ExchangeService(library.database, ACTOR).export())
        headers = {
            "Content-Disposition": 'attachment; filename="people.jsonl"',
            "Content-Length": str(file.tell()),
        }
        file.seek(0)
        stack.pop_all()
    return JsonLines(_chunks(file), headers=headers)


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while chunk := file.read(CHUNK):
            yield chunk


@router.post("/import", responses=problems(409), openapi_extra=BODY)
def load(
    library: Opened, actor: Actor, may_name_others: MayNameOthers, background: BackgroundTasks, file: Uploaded
) -> Imported:
    """Import an export of another library; 422 names the wrong line, and nothing is changed.

    With a token that may not name others, all of it is decided by whoever was given the token.
    """
    background.add_task(library.payload_sender.send_if_it_answers)
    exchange = ExchangeService(library.database, actor, FaceDrawer(library.stores))
    report = exchange.load(read_lines(file), with_authors=may_name_others)
    return Imported.of(report)
