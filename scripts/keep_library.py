"""Keeps a small library of this version in ``tests/libraries``, for every later version to open.

    python -m scripts.keep_library

A library is kept once for each release, by the program that is released, before its version number is raised
for the next one, and is never made again: ``tests/contract/test_kept_libraries.py`` opens all of them. Until
0.1.0 is released its tables may still change; then remove the folder and run this again. A later version that
decides something new adds it to ``fill``. The photos are drawn, in a folder that is gone afterwards. In
``tests/libraries/VERSION`` lie

    library.sql     what SQLite dumps of the database
    files.tar.xz    the other files of the library: embeddings as the embedded Qdrant writes them, pictures
    backup.tar.xz   what `image-search backup --without-pictures` makes of it, for other databases
    expected.json   the names in it, and what there must be
"""

from __future__ import annotations

import json
import lzma
import sqlite3
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from image_search_service import __version__

KEPT = Path(__file__).parents[1] / "tests" / "libraries"
FACES = 30
NAMES = ("Ada Lovelace", "Grace Hopper", "שרה לוי")
GONE = "library.sqlite3", "queue.sqlite3", "library.lock"
"""What begins so is not among the files: the database is dumped, the others belong to a process."""


def main() -> None:
    target = KEPT / __version__
    if target.exists():
        raise SystemExit(f"{target} is there already: a library is kept once for each version.")
    with TemporaryDirectory(prefix="image-search-kept-") as folder:
        root = Path(folder)
        library = Commands(root / "library")
        expected = fill(library, root / "photos")
        backup = root / "backup.tar"
        library("backup", str(backup), "--without-pictures")
        target.mkdir(parents=True)
        dump(library.folder / "library.sqlite3", target / "library.sql")
        pack(library.folder, target / "files.tar.xz")
        with lzma.open(target / "backup.tar.xz", "wb") as packed:
            packed.write(backup.read_bytes())
        text = json.dumps(expected, indent=1, ensure_ascii=False) + "\n"
        (target / "expected.json").write_text(text, encoding="utf-8")
    sizes = {file.name: file.stat().st_size for file in sorted(target.iterdir())}
    print(f"{target}: {sizes}")


class Commands:
    """Runs ``image-search`` on one library."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *command: str) -> Any:
        """What the command prints with ``--json``."""
        options = ["--library", str(self.folder), "--json"]
        done = subprocess.run(
            [sys.executable, "-m", "image_search_service", *command, *options],
            stdout=subprocess.PIPE,
            check=True,
        )
        return json.loads(done.stdout)


def fill(run: Commands, photos: Path) -> dict[str, Any]:
    """Draw photos, index them, and decide something of each kind; what must be found in the library."""
    subprocess.run(
        [sys.executable, "-m", "image_search_service", "demo", str(photos), "--faces", str(FACES)], check=True
    )
    run("index", str(photos), "--engine", "synthetic")
    for group, name in zip(run("people")["clusters"], NAMES, strict=False):
        run("name", group["id"], name)
    run("create", "Hedy Lamarr")
    run("merge", "Hedy Lamarr", "--into", "Grace Hopper")
    run("note", "Grace Hopper", "an admiral")
    run("born", "Grace Hopper", "1906-12-09")
    run("different", "Grace Hopper", "שרה לוי")
    grace = [face["id"] for face in run("faces", "--person", "Grace Hopper")["faces"]]
    run("cover", "Grace Hopper", grace[0])
    run("pin", "Grace Hopper", grace[1])
    run("unassign", grace[-1])
    run("suggest", "--person", "Grace Hopper")
    run("reject", "--person", "Grace Hopper")
    run("set-aside", run("people")["clusters"][0]["id"])
    decisions = run("history")["decisions"]
    run("undo", str(decisions[0]["id"]))
    run("assign")
    return {
        "people": sorted([person["name"], person["faces"]] for person in run("people")["people"]),
        "counts": run("info")["counts"],
        "decisions": len(run("history", "--limit", "1000")["decisions"]),
    }


def dump(database: Path, target: Path) -> None:
    connection = sqlite3.connect(database)
    lines = "\n".join(connection.iterdump())
    connection.close()
    target.write_text(f"{lines}\n", encoding="utf-8")


def pack(library: Path, target: Path) -> None:
    """All files but those that are dumped or belong to a process, without saying whose they were. GNU tar
    leaves out the holes: the embedded Qdrant makes files of 32 MB, of which it fills a few pages."""
    without = [f"--exclude=./{name}*" for name in GONE]
    whose = ["--owner=:0", "--group=:0", "--numeric-owner"]
    tar = ["tar", "--create", "--sparse", "--format=gnu", "--xz", "--file", str(target), "--sort=name"]
    subprocess.run([*tar, *whose, *without, "--directory", str(library), "."], check=True)


if __name__ == "__main__":
    main()
