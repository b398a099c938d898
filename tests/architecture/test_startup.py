"""What the command imports, and that it does so on every system."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("sqlalchemy", "alembic", "numpy", "scipy", "cv2", "onnxruntime", "qdrant_client", "qdrant_edge")
ALSO_UNUSED = ("pydantic", "rich", "structlog", "asyncio")
LEFT_OUT = """
import sys
sys.argv = ["image-search", *sys.argv[1:]]
from image_search_service.cli.app import main
try:
    main()
finally:
    print("\\nimported:", *sys.modules)
"""
EVERY_MODULE = """
import importlib, pkgutil, sys, warnings
for name in ("fcntl", "grp", "pwd", "resource", "termios"):
    sys.modules[name] = None  # so that importing it fails, as on Windows
warnings.simplefilter("ignore")  # filelock says that it has no fcntl
import image_search_service
count = 0
for module in pkgutil.walk_packages(image_search_service.__path__, "image_search_service."):
    if ".migrations." not in module.name:  # which Alembic runs
        importlib.import_module(module.name)
        count += 1
print(count)
"""


def imported_by(*arguments: str) -> set[str]:
    """The modules that ``image-search`` has imported when it ends."""
    command = [sys.executable, "-c", LEFT_OUT, *arguments]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return set(shown.rpartition("imported: ")[2].split())


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_imports_no_command_and_no_vendor(arguments: list[str]) -> None:
    """The list of commands and the version need none of the commands' modules or libraries."""
    imported = imported_by(*arguments)
    assert "typer" in imported
    assert imported & {*HEAVY, *ALSO_UNUSED} == set()
    ours = {name for name in imported if name.startswith("image_search_service.")}
    assert ours == {
        f"image_search_service.{name}"
        for name in ("cli", "cli.app", "cli.commands", "cli.lazy_group", "core", "core.printable")
    }


def test_a_command_that_reads_sql_imports_sql_only(tmp_path: Path) -> None:
    """Listing the people of a library, new or old, imports neither Alembic nor arrays nor vectors."""
    library = str(tmp_path / "library")
    unused = {*HEAVY, "structlog", "rich.progress", "psutil", "httpx", "sqlalchemy.dialects.postgresql"}
    for _ in ("new", "old"):
        imported = imported_by("people", "--library", library)
        assert "sqlalchemy" in imported
        assert imported & unused == {"sqlalchemy"}


def test_every_module_is_imported_without_what_only_posix_has() -> None:
    """No module needs, when it is imported, a part of Python that Windows lacks."""
    done = subprocess.run([sys.executable, "-c", EVERY_MODULE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 100
