"""The made-up library that benchmarks of a service measure, made once and kept where that is asked for."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from image_search_service.core.config import Settings
from image_search_service.library.opening import Library, open_library
from image_search_service.services.evaluation.made_library import MadeLibraryService
from image_search_service.services.evaluation.made_rows import MadeSizes
from tests.support.served import no_bar


def library_options(description: str | None) -> argparse.ArgumentParser:
    """A parser of the library's size and place; a benchmark adds options of its own."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--faces", type=int, default=100_000)
    parser.add_argument("--photos", type=int, default=50_000)
    parser.add_argument("--people", type=int, default=5_000)
    parser.add_argument("--library", type=Path, help="where it is made, and kept")
    return parser


@contextmanager
def made_library(given: argparse.Namespace, **settings: Any) -> Iterator[Library]:
    """The library of ``library_options``, made if it is not there. settings: further ones, such as stores."""
    with tempfile.TemporaryDirectory(prefix="image-search-bench-") as folder:
        root = given.library or Path(folder) / "library"
        is_new = not root.exists()
        all_settings = Settings(
            library=root, offline=True, workers=1, allowed_hosts="*", require_token=False, **settings
        )
        with open_library(all_settings, lambda _: None, no_bar) as library:
            if is_new:
                sizes = MadeSizes(given.faces, given.photos, given.people)
                MadeLibraryService(library.stores, library.collections).make(sizes)
            yield library
