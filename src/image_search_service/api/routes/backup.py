"""The library as one file: a job writes it, and it is sent as often as it is asked for."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any, BinaryIO, Final, Self

import anyio
from fastapi import APIRouter, Query
from fastapi.responses import FileResponse
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from image_search_service.api.deps import Jobs, Opened
from image_search_service.api.errors import problems
from image_search_service.api.schemas.jobs import Job
from image_search_service.services.backup.sending import open_backup
from image_search_service.services.jobs.service import JobKind

router = APIRouter(prefix="/backup", tags=["backup"])

WithPictures = Annotated[bool, Query(description="With crops and thumbnails.")]
_TAR: Final = {"application/x-tar": {"schema": {"type": "string", "format": "binary"}}}
ARCHIVE: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "A tar archive.", "content": _TAR},
    206: {"description": "The part of it that `Range` asks for.", "content": _TAR},
}
_ONE_PART: Final = re.compile(r"bytes=(\d{1,18})-(\d{0,18})")


class TarArchive(FileResponse):
    """An archive in a file that is open already, and closed when it was sent or its reader has gone."""

    media_type = "application/x-tar"

    file: BinaryIO

    @classmethod
    def of(cls, file: BinaryIO) -> Self:
        """FastAPI documents the class by its constructor, which therefore stays as it is."""
        answer = cls(
            file.name,
            filename="library.tar",
            media_type=cls.media_type,
            stat_result=os.fstat(file.fileno()),
        )
        answer.file = file
        return answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._has_part(Headers(scope=scope).get("range", "")):
            others = [(name, value) for name, value in scope["headers"] if name != b"range"]
            scope = {**scope, "headers": others}
        with self.file:
            await super().__call__(scope, receive, send)

    def _has_part(self, asked: str) -> bool:
        """Whether it is one part of the file that is asked for. What else `Range` may say is not heeded, as
        HTTP allows: all of it comes, where Starlette would answer with an error that is no problem of ours.
        """
        part = _ONE_PART.fullmatch(asked)
        if part is None:
            return False
        size = int(self.headers["content-length"])
        return int(part[1]) < size and int(part[1]) <= int(part[2] or size)

    @asynccontextmanager
    async def _open_file(self) -> AsyncIterator[anyio.AsyncFile[bytes]]:
        """Where Starlette would open the file by its name, which may be another one's by now: another length
        than was said."""
        yield anyio.wrap_file(self.file)


@router.post("", status_code=202, responses=problems(404))
def write_backup(library: Opened, jobs: Jobs, pictures: WithPictures = True) -> Job:
    """Write the whole library as it is then into one file, as a job, and check it; photos are not in it.

    When the job has succeeded, `GET` sends the file, for a day or until the next one replaces it.
    """
    library.engine_binding.require_row()
    return Job.of(jobs.submit(JobKind.WRITE_BACKUP, {"pictures": pictures}))


@router.get("", response_class=TarArchive, responses=ARCHIVE | problems(404))
def get_backup(library: Opened, pictures: WithPictures = True) -> TarArchive:
    """The file that the last job has written, as `image-search restore` takes it.

    It may be taken as slowly as one likes, and in parts (`Range`, with `If-Range` and the `ETag`); 404 if
    there is none.
    """
    return TarArchive.of(open_backup(library.paths, pictures=pictures))
