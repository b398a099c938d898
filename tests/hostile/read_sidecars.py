"""Reads the names of each photo of a folder and writes them anew, as the service does: see ``bounded.py``.

Prints each photo before it is read, then what is said of it.
"""

from __future__ import annotations

import sys
import uuid
from pathlib import Path

from image_search_service.core.types import Box
from image_search_service.db.queries.metadata.photo_names import PhotoFiles, PlacedFace
from image_search_service.media.folder_names import Folders
from image_search_service.media.picasa import PicasaFolders
from image_search_service.services.metadata.sources import names_of
from image_search_service.services.metadata.writing import WriteTask, write_names
from tests.hostile.bounded import begin_case

SECONDS = 10.0
"""Of processor time that a photo's sidecar may take, read and written."""


def main(folder: Path) -> None:
    folders, picasa = Folders(), PicasaFolders()
    for path in sorted(folder.glob("*.jpg")):
        begin_case(path.name, SECONDS)
        photo = PhotoFiles(uuid.UUID(int=1), 120, 80, [path])
        names = names_of(photo, folders, picasa)
        face = PlacedFace(uuid.UUID(int=2), photo.asset_id, Box(0.1, 0.1, 0.3, 0.4), True, None, "Ada")
        written = write_names(WriteTask(path, photo, [face], {}), folders, dry_run=True)
        said = [*names.problems, *names.outdated, *names.dropped, *names.misplaced, written.problem]
        longest = max(map(len, [*said, *(name for file in names.files for name in file.people)]), default=0)
        regions = max((len(reading) for file in names.files for reading in file.readings), default=0)
        print(f"{longest} {regions}", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
