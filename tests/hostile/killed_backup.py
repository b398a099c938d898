"""Writes a backup to be downloaded, and dies by SIGKILL at a given report of its progress: LIBRARY STEP."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from image_search_service.core.config import Settings
from image_search_service.library.opening import open_library
from image_search_service.services.backup.sending import write_backup


def main(folder: Path, die_at: int) -> None:
    steps = 0

    def progress(_done: int, _total: int | None) -> None:
        nonlocal steps
        steps += 1
        if steps == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    with open_library(Settings(library=folder)) as library:
        write_backup(library.stores, progress, pictures=True)
    print(steps)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
