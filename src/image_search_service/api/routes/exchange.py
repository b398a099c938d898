"""Export of decisions, and import from another library."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Annotated, Any, Final

from fastapi import APIRouter, BackgroundTasks, Body
from fastapi.responses import StreamingResponse

from image_search_service.api.deps import ACTOR, Actor, MayNameOthers, Opened
from image_search_service.api.errors import problems
from image_search_service.api.schemas.exchange import Imported
from image_search_service.core.errors import InvalidInputError
from image_search_service.services.exchange.service import ExchangeService
from image_search_service.services.indexing.drawing import FaceDrawer

router = APIRouter(tags=["decisions"])

LINES: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "JSON Lines.", "content": {"application/jsonl": {"schema": {"type": "string"}}}}
}
File = Annotated[bytes, Body(media_type="text/plain", description="What an export wrote, JSON Lines.")]


class JsonLines(StreamingResponse):
    """Lines that are read while they are sent."""

    media_type = "application/jsonl"


@router.get("/export", response_class=JsonLines, responses=LINES)
def export(library: Opened) -> JsonLines:
    """Export people, decisions and the faces that they are about, as docs/exchange.md describes."""
    lines = ExchangeService(library.database, ACTOR).export()
    first = next(lines)  # what does not work at all is said by the status
    ended = (line + "\n" for line in chain([first], lines))
    headers = {"Content-Disposition": 'attachment; filename="people.jsonl"'}
    return JsonLines(ended, headers=headers)


@router.post("/import", responses=problems(409))
def load(
    library: Opened, actor: Actor, may_name_others: MayNameOthers, background: BackgroundTasks, file: File
) -> Imported:
    """Import an export of another library; 422 names the wrong line, and nothing is changed.

    With a token that may not name others, all of it is decided by whoever was given the token.
    """
    background.add_task(library.payload_sender.send_if_it_answers)
    exchange = ExchangeService(library.database, actor, FaceDrawer(library.stores))
    report = exchange.load(_lines(file), with_authors=may_name_others)
    return Imported.of(report)


def _lines(file: bytes) -> Iterator[str]:
    try:
        return iter(file.decode("utf-8-sig").split("\n"))
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"The file is no UTF-8: {error}.") from error
