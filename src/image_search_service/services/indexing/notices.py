"""Hears from the operating system that photos in the library's folders have changed, and has them indexed.

Network drives and some systems tell nobody: for those, the folders are looked through by the clock
(``watching.py``).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

from watchfiles import Change, watch

from image_search_service.core.logging import get_logger
from image_search_service.services.indexing.watching import FolderWatch

log = get_logger(__name__)

QUIET_SECONDS = 5.0
"""Changes are indexed when nothing more has changed for so long, as when photos are being copied …"""
LONGEST_SECONDS = 60.0
"""… or at the latest after so long."""
LOOK_SECONDS = 15.0
"""How often it is looked whether the library has other folders, and whether a job that was in the way has
ended."""


class FolderNotices:
    """A thread that has changed folders indexed, from ``start`` to ``stop``.

    library: the folder of the library itself, which may be in one of them.
    """

    def __init__(
        self,
        folders: FolderWatch,
        library: Path,
        quiet: float = QUIET_SECONDS,
        look: float = LOOK_SECONDS,
    ) -> None:
        self._folders = folders
        self._library = library
        self._quiet = quiet
        self._look = look
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="folder notices", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Waits until the thread has ended."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            paths = self._folders.there()
            try:
                self._hear(paths)
            except OSError as error:  # on Linux, most often the limit fs.inotify.max_user_watches
                log.warning("Folders are looked through by the clock only", reason=str(error))
                return

    def _hear(self, paths: Sequence[Path]) -> None:
        """Index what changes in these folders, until the library has others."""
        if not paths:
            self._stop.wait(self._look)
            return
        changed: set[Path] = set()
        for changes in watch(
            *paths,
            watch_filter=self._is_looked_at,
            step=_milliseconds(self._quiet),
            debounce=_milliseconds(LONGEST_SECONDS),
            rust_timeout=_milliseconds(self._look),
            yield_on_timeout=True,
            stop_event=self._stop,
            raise_interrupt=False,
            ignore_permission_denied=True,
        ):
            changed |= folders_of(changes, paths)
            if changed and self._folders.index(sorted(changed)) is not None:
                changed.clear()
            if not changed and self._folders.there() != paths:
                return

    def _is_looked_at(self, _change: Change, name: str) -> bool:
        """Whether indexing looks at files of this name: not at hidden ones, such as half-written sidecars,
        nor at the library's own."""
        path = Path(name)
        return not path.name.startswith(".") and not path.is_relative_to(self._library)


def folders_of(changes: Iterable[tuple[Change, str]], paths: Sequence[Path]) -> set[Path]:
    """Those of the library's folders in which something has changed."""
    changed = [Path(name) for _, name in changes]
    return {path for path in paths if any(one.is_relative_to(path) for one in changed)}


def _milliseconds(seconds: float) -> int:
    return round(1000 * seconds)
