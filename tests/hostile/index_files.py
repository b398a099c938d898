"""Indexes a folder of hostile files into a library, takes names from them, and lets the doctor look:
``bounded.py``.

Prints what was indexed and what the doctor found, as JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from image_search_service.core.config import Settings
from image_search_service.library.opening import open_library
from image_search_service.services.doctor.service import DoctorService
from image_search_service.services.indexing.pipeline import index_photos
from tests.support.damage import found
from tests.support.served import bind, no_bar
from tests.support.world import put_database


def main(folder: Path, library: Path) -> None:
    settings = Settings(library=library, engine="synthetic", offline=True, workers=2)
    put_database(library)
    with open_library(settings, lambda _: None, no_bar) as opened:
        bind(opened)
        result = index_photos(opened.stores, [folder], actor="test", watch=no_bar, names_from_metadata=True)
        report = DoctorService(opened.stores, alone=True).examine()
    print(json.dumps(result.to_json(0)))
    print(json.dumps(found(report)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
