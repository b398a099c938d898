"""How fast photos are indexed, and how much of that is the models' own time.

    python -m benchmarks.index PHOTOS --engine opencv --engine onnx --recognizer FILE
    python -m benchmarks.index --faces 100000          # drawn ones, with the engine synthetic

"The models alone" is the same photos, decoded beforehand, detected and embedded by the same engine with as
many threads and nothing else: the time that no program around the models can go below.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rich.console import Console
from rich.table import Table

from image_search_service.cli.output import Output
from image_search_service.core.config import Settings
from image_search_service.core.errors import MediaError
from image_search_service.demo.library import make_demo_library
from image_search_service.library.opening import open_library
from image_search_service.media.decode import decode_photo, reduced
from image_search_service.media.scan import PhotoScan
from image_search_service.recognition.engines.base import FaceEngine
from image_search_service.services.face_clustering_service import FaceClusteringService
from image_search_service.services.indexing.indexer import IndexService
from image_search_service.services.indexing.reader import DETECTION_SIDE

SAMPLE = 500
"""Photos that the models' own time is measured on; all of them decoded would fill the memory."""


def main() -> None:
    given = _arguments()
    with tempfile.TemporaryDirectory(prefix="image-search-bench-") as temporary:
        photos = given.photos
        if photos is None:
            photos = Path(temporary) / "photos"
            make_demo_library(photos, faces=given.faces)
        columns = []
        for name in given.engine or ["synthetic"]:
            settings = Settings(
                library=Path(temporary) / name,
                engine=name,
                detector=given.detector,
                recognizer=given.recognizer if name == "onnx" else None,
            )
            columns.append((f"{name}, {settings.workers} threads", measure(settings, photos)))
    table = Table("indexing", *(title for title, _ in columns))
    for row in zip(*(rows for _, rows in columns), strict=True):
        table.add_row(row[0][0], *(value for _, value in row))
    Console().print(table)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photos", type=Path, nargs="?", help="a folder of photos; without it, they are drawn")
    parser.add_argument("--faces", type=int, default=10_000, help="faces to draw")
    parser.add_argument("--engine", action="append", help="may be given several times")
    parser.add_argument("--detector", type=Path)
    parser.add_argument("--recognizer", type=Path)
    return parser.parse_args()


def measure(settings: Settings, photos: Path) -> list[tuple[str, str]]:
    """Index, index again, and run the models alone; the rows of a table.

    Time of the processor is what other work on the machine changes least. The models and the embedded Qdrant
    are loaded before: that takes a second or two, however many photos there are.
    """
    out = Output(as_json=True)
    with open_library(settings, out.note, out.progress) as opened:
        opened.engine_binding.bind()
        engine, _faces = opened.stores.engine, opened.stores.faces
        busy = time.process_time()
        report = IndexService(opened.stores).index([photos])
        busy = time.process_time() - busy
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        started = time.perf_counter()
        FaceClusteringService(opened.stores).group_if_stale()
        grouping = time.perf_counter() - started
        again = IndexService(opened.stores).index([photos])
        models, models_busy = models_alone(engine, photos, settings.workers)
    per_photo, busy = (seconds / max(report.photos_new, 1) for seconds in (report.seconds, busy))
    return [
        ("photos", f"{report.photos_new:,}"),
        ("faces", f"{report.faces_new:,}"),
        ("seconds", f"{report.seconds:.1f}"),
        ("photos a second", f"{1 / per_photo:.0f}"),
        ("faces a second", f"{report.faces_new / report.seconds:.0f}"),
        ("models alone, ms a photo", f"{models * 1e3:.2f}"),
        ("all in all, ms a photo", f"{per_photo * 1e3:.2f}"),
        ("all in all ÷ models alone", f"{per_photo / models:.2f}"),
        ("models alone, processor, ms a photo", f"{models_busy * 1e3:.2f}"),
        ("all in all, processor, ms a photo", f"{busy * 1e3:.2f}"),
        ("all in all ÷ models alone, processor", f"{busy / models_busy:.2f}"),
        ("grouping afterwards, seconds", f"{grouping:.1f}"),
        ("second run, seconds", f"{again.seconds:.2f}"),
        ("peak memory while indexing, MB", f"{peak / 1e6:.0f}"),
    ]


def models_alone(engine: FaceEngine, photos: Path, threads: int) -> tuple[float, float]:
    """Seconds a photo for detecting and embedding, of the clock and of the processor.

    Over at most ``SAMPLE`` photos, decoded beforehand.
    """
    files = [file.path for file in PhotoScan([photos])]
    step = max(1, len(files) // SAMPLE)
    pixels = []
    for path in files[::step][:SAMPLE]:
        try:
            pixels.append(reduced(decode_photo(path, max_pixels=50_000_000).pixels, DETECTION_SIDE)[0])
        except MediaError:
            continue
    chips = [[engine.align(image, face) for face in engine.detect(image)] for image in pixels]

    def run(i: int) -> None:
        engine.detect(pixels[i])
        engine.embed(chips[i])

    started, busy = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(run, range(len(pixels))))
    return (time.perf_counter() - started) / len(pixels), (time.process_time() - busy) / len(pixels)


if __name__ == "__main__":
    main()
