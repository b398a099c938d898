"""Photos that are not on the disk any more: away, gone for good, forgotten, erased."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Depends

from image_search_service.api.deps import Actor, Jobs, Opened
from image_search_service.api.errors import problems
from image_search_service.api.schemas.absent import (
    AbsentFolderItem,
    AbsentFolders,
    ErasePhotos,
    ForgetPhotos,
    ForgottenPhotos,
    MarkedFolder,
    MarkFolder,
)
from image_search_service.api.schemas.jobs import Job
from image_search_service.core.records.photos import AbsentState
from image_search_service.services.forgetting.service import ForgettingService
from image_search_service.services.jobs.service import JobKind

router = APIRouter(tags=["photos"], responses=problems(404, 409))


async def _forgetting(library: Opened, actor: Actor, background: BackgroundTasks) -> ForgettingService:
    background.add_task(library.payload_sender.send_if_it_answers)
    return ForgettingService(library.database, actor)


Service = Annotated[ForgettingService, Depends(_forgetting)]


@router.get("/photos/absent")
def list_absent_folders(service: Service) -> AbsentFolders:
    """Folders that are not there, and how many photos were deleted."""
    plan = service.plan()
    folders = [AbsentFolderItem.of(folder) for folder in service.absent()]
    return AbsentFolders(folders=folders, forgettable=plan.photos, away=plan.away)


@router.post("/photos/away")
def mark_away(request: MarkFolder, service: Service) -> MarkedFolder:
    """Say that a drive or folder is away: its photos are missing until it is indexed again."""
    return MarkedFolder.of(service.mark(Path(request.path), AbsentState.AWAY))


@router.post("/photos/gone")
def mark_gone(request: MarkFolder, service: Service) -> MarkedFolder:
    """Say that a folder is gone for good: its photos are missing and may be forgotten."""
    return MarkedFolder.of(service.mark(Path(request.path), AbsentState.GONE))


@router.post("/decisions/forget-photos", tags=["decisions"])
def forget_photos(request: ForgetPhotos, service: Service) -> ForgottenPhotos:
    """Leave out photos of which no file exists any more, as a decision that can be undone until they are
    erased."""
    folders = [Path(path) for path in request.paths]
    if request.dry_run:
        return ForgottenPhotos.of(service.plan(folders, excluded=request.excluded))
    return ForgottenPhotos.of(service.forget(folders, request.based_on_decision, excluded=request.excluded))


@router.post("/photos/erase", status_code=202)
def erase_photos(request: ErasePhotos, jobs: Jobs, actor: Actor) -> Job:
    """Erase forgotten photos for good, as a job: their faces, embeddings and pictures, and what was said of
    them."""
    return Job.of(jobs.submit(JobKind.ERASE_PHOTOS, {"paths": sorted(request.paths), "actor": actor}))
