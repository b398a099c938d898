"""The library as one file."""

from __future__ import annotations

from typing import Annotated, Any, Final, Self

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from image_search_service.api.deps import Opened
from image_search_service.api.errors import problems
from image_search_service.api.turns import TRANSFERS, in_turn
from image_search_service.services.backup.sending import SentBackup

router = APIRouter(tags=["backup"])


ARCHIVE: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "A tar archive.",
        "content": {"application/x-tar": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class TarArchive(StreamingResponse):
    """A finished archive, which is closed when it was sent, or its reader has gone."""

    media_type = "application/x-tar"

    backup: SentBackup

    @classmethod
    def of(cls, backup: SentBackup) -> Self:
        """FastAPI documents the class by its constructor, which therefore stays as it is."""
        named = {"Content-Disposition": 'attachment; filename="library.tar"'}
        answer = cls(backup, headers=named | {"Content-Length": str(backup.size)})
        answer.backup = backup
        return answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.backup.close()


@router.get(
    "/backup",
    response_class=TarArchive,
    responses=ARCHIVE | problems(404),
    dependencies=[in_turn(TRANSFERS)],
)
def get_backup(
    library: Opened, pictures: Annotated[bool, Query(description="With crops and thumbnails.")] = True
) -> TarArchive:
    """The whole library as it is now, as `image-search restore` takes it; photos are not in it.

    It is written and read again before the answer begins; two are made or sent at a time.
    """
    return TarArchive.of(SentBackup(library.stores, pictures=pictures))
