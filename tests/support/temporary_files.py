"""Where tests keep their files."""

from __future__ import annotations

import getpass
import os
import shutil
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")  # noqa: S108 - Linux's file system in memory; this user's folder is made in it
NEEDED = 4 << 30
"""Bytes that must be free there: more than twice what a run has at once."""


def keep_in_memory() -> None:
    """Temporary files are made in memory, where there is room and ``TMPDIR`` says nothing else.

    Databases and stores wait for the disk after each change, which took half of the tests' time; what a
    killed process leaves is the same in memory.
    """
    if "TMPDIR" in os.environ or not os.access(MEMORY, os.W_OK | os.X_OK):
        return
    if shutil.disk_usage(MEMORY).free < NEEDED:
        return
    folder = MEMORY / f"image-search-tests-{getpass.getuser()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
