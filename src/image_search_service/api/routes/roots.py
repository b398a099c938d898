"""The library's folders, and what is left out of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends

from image_search_service.api.deps import Folders, HasKey, Opened, Photos
from image_search_service.api.errors import problems
from image_search_service.api.schemas.roots import ChosenRoot, Root, RootList, SaveRoot
from image_search_service.services.indexing.roots import RootService

router = APIRouter(prefix="/roots", tags=["photos"])


async def _roots(library: Opened) -> RootService:
    return RootService(library.database)


Roots = Annotated[RootService, Depends(_roots)]


@router.get("")
def list_roots(roots: Roots) -> RootList:
    """The folders that are indexed when none is named, with what is left out of them."""
    return RootList.of(roots.roots())


@router.post("")
def save_root(request: SaveRoot, roots: Roots, folders: Folders, photos: Photos, has_key: HasKey) -> Root:
    """Add a folder, or change what is left out of it; the next run of indexing goes by it.

    What is left out later stays in the library, counts as missing by choice, and can be forgotten.
    """
    (path,) = folders.checked(
        [Path(request.path)], photos.is_known, of_library=roots.paths(), anywhere=has_key
    )
    return Root.of(roots.save(path, request.excludes))


@router.post("/remove", responses=problems(404))
def remove_root(request: ChosenRoot, roots: Roots) -> RootList:
    """Remove a folder, and those in it, from the list; the photos stay. Answers with what was removed."""
    return RootList.of(roots.remove(Path(request.path)))
