"""The library as one file."""

from __future__ import annotations

from itertools import chain
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from image_search_service.api.deps import Opened
from image_search_service.api.errors import problems
from image_search_service.api.turns import TRANSFERS, in_turn
from image_search_service.services.backup.service import BackupService

router = APIRouter(tags=["backup"])


ARCHIVE: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "A tar archive.",
        "content": {"application/x-tar": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class TarArchive(StreamingResponse):
    """An archive that is made while it is sent."""

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

    An answer that ends without its last chunk is not complete.
    """
    stream = BackupService(library.stores).stream(pictures=pictures)
    first = next(stream)  # what does not work at all is said by the status
    return TarArchive(
        chain([first], stream), headers={"Content-Disposition": 'attachment; filename="library.tar"'}
    )
