"""What it takes to run the program: disk of libraries, time until a service is ready, memory of each process.

    python -m benchmarks.operating 2000 200000     # made-up libraries of so many faces, half as many photos
    python -m benchmarks.operating --servers       # a service and a worker on PostgreSQL, Redis and Qdrant

The servers are those that the tests use (IMAGE_SEARCH_TEST_DATABASE_URL, IMAGE_SEARCH_TEST_REDIS_URL, and
the stand-in for Qdrant). Memory is what the kernel says of a process: resident (RSS), and with its share of
what several processes have together (PSS), of which the sum over all processes is what they need.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil

from benchmarks.report import machine, print_table
from image_search_service.demo.library import make_demo_library
from image_search_service.vector.embedded import EmbeddedQdrant
from tests.support.databases import postgresql_schema
from tests.support.qdrant_server import QdrantServer
from tests.support.service_processes import answers, ask, ended, environment, free_port
from tests.support.waiting import wait_until

PROGRAM = (sys.executable, "-m", "image_search_service")
REST_SECONDS = 3.0
"""After which a process that has just become ready is taken to be at rest."""
DRAWN_FACES = 600
PROCESS_COLUMNS = ("process", "ready after s", "processor s", "RSS MB", "PSS MB")
DISK_COLUMNS = ("library", "database MB", "embeddings MB", "small pictures MB", "all MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("sizes", nargs="*", type=int, default=[], metavar="FACES")
    parser.add_argument("--servers", action="store_true")
    given = parser.parse_args()
    processes: list[tuple[str, ...]] = []
    disk: list[tuple[str, ...]] = []
    with tempfile.TemporaryDirectory(prefix="image-search-operating-") as name:
        folder = Path(name)
        for faces in given.sizes:
            library = folder / f"{faces}"
            _image_search("bench", "library", str(faces), "--library", str(library))
            disk.append((f"{faces:,} faces, {faces // 2:,} photos, made up", *_disk(library)))
            processes += _alone(f"{faces:,} faces", {"library": library, "offline": True})
        if given.sizes:
            photos, library = folder / "photos", folder / "drawn"
            make_demo_library(photos, faces=DRAWN_FACES)
            _image_search("index", str(photos), "--engine", "synthetic", "--library", str(library))
            counts = json.loads(_image_search("info", "--json", "--library", str(library)))["counts"]
            disk.append((f"{counts['faces']:,} faces, {counts['photos']:,} photos, drawn", *_disk(library)))
        if given.servers:
            processes += _on_servers(folder)
    print_table(f"Disk. {machine()}", DISK_COLUMNS, disk)
    print_table(f"Processes. {machine()}", PROCESS_COLUMNS, processes)


def _image_search(*arguments: str) -> str:
    return subprocess.run((*PROGRAM, *arguments), capture_output=True, text=True, check=True).stdout


def _disk(library: Path) -> tuple[str, ...]:
    """Blocks on disk, in MB."""
    used = json.loads(_image_search("info", "--json", "--library", str(library)))["bytes"]
    pictures = used["thumbnails"] + used["crops"]
    sizes = (used["database"], used["vectors"], pictures, used["library"])
    return tuple(f"{size / 1e6:,.1f}" for size in sizes)


def _alone(what: str, settings: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """A service with embedded stores: at rest, and after what makes it load most."""
    with _started("serve", settings | {"port": free_port()}) as (service, port, seconds):
        yield _row(f"serve, {what}, at rest", service, seconds)
        for path in ("/persons", "/faces/clusters", "/review/next", "/assets"):
            ask(port, f"/api/v1{path}")
        yield _row(f"serve, {what}, after lists and a question", service)
        job = ask(port, "/api/v1/faces/cluster", {})
        assert ended(port, job)["state"] == "succeeded"
        yield _row(f"serve, {what}, after a grouping of all", service)


def _on_servers(folder: Path) -> Iterator[tuple[str, ...]]:
    """A service and a worker, at rest and after indexing drawn photos by the default engine."""
    photos = folder / "few"
    make_demo_library(photos, faces=60)
    redis = os.environ.get("IMAGE_SEARCH_TEST_REDIS_URL", "redis://127.0.0.1:6379/0")
    with ExitStack() as stack:
        database = stack.enter_context(postgresql_schema())
        engine = stack.enter_context(EmbeddedQdrant(folder / "qdrant"))
        server = stack.enter_context(QdrantServer(engine))
        settings = {
            "library": folder / "served",
            "photo_roots": str(photos),
            "database_url": database.render_as_string(hide_password=False),
            "redis_url": f"{redis.rpartition('/')[0]}/13",
            **server.settings,
        }
        service, port, seconds = stack.enter_context(_started("serve", settings | {"port": free_port()}))
        yield _row("serve on servers, at rest", service, seconds)
        worker, _, _ = stack.enter_context(_started("worker", settings))
        time.sleep(REST_SECONDS)
        yield _row("worker, at rest", worker)
        job = ask(port, "/api/v1/photos/index", {"paths": [str(photos)]})
        assert ended(port, job)["state"] == "succeeded"
        yield _row("worker, after indexing with the engine opencv", worker)


@contextmanager
def _started(command: str, settings: dict[str, Any]) -> Iterator[tuple[psutil.Process, int, float]]:
    """The process, its port, and the seconds until it was ready; a worker has neither."""
    started, port = time.perf_counter(), settings.get("port", 0)
    process = subprocess.Popen(
        (*PROGRAM, command),
        env=environment({"require_token": False} | settings),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        if port:
            wait_until(lambda: process.poll() is not None or answers(port))
        assert process.poll() is None
        yield psutil.Process(process.pid), port, time.perf_counter() - started
    finally:
        process.terminate()
        process.wait()


def _row(title: str, process: psutil.Process, seconds: float | None = None) -> tuple[str, ...]:
    time.sleep(REST_SECONDS)
    spent, memory = process.cpu_times(), process.memory_full_info()
    ready = "" if seconds is None else f"{seconds:.1f}"
    return (
        title,
        ready,
        f"{spent.user + spent.system:.1f}",
        f"{memory.rss / 1e6:.0f}",
        f"{memory.pss / 1e6:.0f}",
    )


if __name__ == "__main__":
    main()
