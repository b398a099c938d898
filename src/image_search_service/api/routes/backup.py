"""The library as one file."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

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
    """A finished archive."""

    media_type = "application/x-tar"


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
    backup = SentBackup(library.stores, pictures=pictures)
    return TarArchive(
        backup,
        headers={
            "Content-Disposition": 'attachment; filename="library.tar"',
            "Content-Length": str(backup.size),
        },
    )
