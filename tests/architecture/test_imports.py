"""Imports point downwards, and each vendor's words stay in the part that owns them."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.architecture.import_rules import LEVELS, PACKAGE, imports_of, violations

SOURCE = Path(__file__).parents[2] / "src" / PACKAGE


def test_no_import_points_the_wrong_way() -> None:
    """Every import of the package, wherever it stands, obeys the layers and the vendors' places."""
    assert not violations(SOURCE), "\n" + "\n".join(violations(SOURCE))


def imported_modules(root: Path) -> dict[str, set[str]]:
    """The package's modules that each of them imports, wherever in it, for types only, too. The package
    itself, which gives on names of others, is left out."""
    found: dict[str, set[str]] = {}
    for item in imports_of(root):
        if item.importer != root.name:
            found.setdefault(item.importer, set()).update((item.module, item.module.rpartition(".")[0]))
    return {module: (others & found.keys()) - {module} for module, others in found.items()}


def test_no_modules_import_each_other() -> None:
    """There is no circle of imports, neither of two modules nor of more."""
    TopologicalSorter(imported_modules(SOURCE)).prepare()


def test_a_circle_of_imports_is_found(tmp_path: Path) -> None:
    """A circle is found if one of its imports stands in a function."""
    modules = {
        "core__a": f"from {PACKAGE}.core import b",
        "core__b": f"def late():\n    from {PACKAGE}.core.a import name",
    }
    with pytest.raises(CycleError):
        TopologicalSorter(imported_modules(made_up(tmp_path, **modules))).prepare()


def test_every_part_has_its_place() -> None:
    """Each folder and module of the package stands on a level, so that no part escapes the rules."""
    parts = {
        path.stem for path in SOURCE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert parts - {"__init__"} <= set().union(*LEVELS)


def made_up(folder: Path, **files: str) -> Path:
    """A package with these modules; ``__`` in a name stands for a slash."""
    root = folder / PACKAGE
    for name, text in files.items():
        path = root / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("faces__matching", f"from {PACKAGE}.vector.face_qdrant import FaceQdrantClient"),
        ("cli__app", f"from {PACKAGE} import main"),
        ("services__doctor__x", f"from {PACKAGE}.services.indexing.reader import PhotoReader"),
        ("services__doctor__x", f"from {PACKAGE}.db.queries.doctor import expected"),
        ("services__doctor__x", f"from {PACKAGE}.services.centroid_service import CentroidService"),
        ("services__x__y", f"from {PACKAGE}.library.stores import Stores"),
        ("library__workers", f"from {PACKAGE}.queue.face_jobs import JOBS"),
        ("services__index", f"from {PACKAGE}.core.types import Box\nimport numpy"),
        ("vector__client", "import qdrant_client.models\nfrom grpc import Channel"),
        ("recognition__engines__onnx", "def load():\n    import onnxruntime"),
        ("db__session", "from . import models\nfrom ..core import types"),
        ("media__decode", "import cv2"),
        ("cli__output", "from rich.table import Table"),
        ("worker", f"import {PACKAGE}.queue.face_jobs"),
    ],
)
def test_imports_that_are_right(tmp_path: Path, module: str, text: str) -> None:
    """What points downwards, or at a part's own vendor, is let through."""
    assert violations(made_up(tmp_path, **{module: text})) == []


@pytest.mark.parametrize(
    ("module", "text", "rule"),
    [
        ("api__schemas__x", f"from {PACKAGE}.db import models", "api asks services, and never db"),
        ("cli__x", f"if TYPE_CHECKING:\n    import {PACKAGE}.recognition.centroid", "never recognition"),
        ("web__x", f"def f():\n    import {PACKAGE}.vector.client", "web asks services, and never vector"),
        ("core__types", f"import {PACKAGE}.db.models", "core is below db"),
        ("vector__client", f"from {PACKAGE}.faces.assigner import FaceAssigner", "vector is below faces"),
        ("media__decode", f"from {PACKAGE}.db import models", "media and db are neighbours"),
        ("api__deps", f"from {PACKAGE}.web import pages", "api and web are neighbours"),
        ("services__x", f"from {PACKAGE}.library.opening import open_library", "services is below library"),
        ("queue__x", f"from {PACKAGE}.library.opening import Library", "queue is below library"),
        (
            "services__people__x",
            f"from {PACKAGE}.services.backup import archive",
            "people comes before backup",
        ),
        (
            "services__people__x",
            f"from {PACKAGE}.db.queries.doctor import expected",
            "people comes before doctor",
        ),
        ("services__x", "from sqlalchemy.orm import Session", "sqlalchemy is a word of db only"),
        ("faces__matching", "import cv2", "cv2 is a word of media and recognition.engines only"),
        ("recognition__engines_x", "import cv2", "cv2 is a word of"),
        ("services__x", "def f():\n    import qdrant_client", "qdrant_client is a word of vector only"),
        ("faces__x", "if TYPE_CHECKING:\n    from grpc import Channel", "grpc is a word of vector only"),
        ("faces__x", "importlib.import_module('huey')", "huey is a word of queue only"),
        ("db__models", "from ..services import index_service", "db is below services"),
        ("db__models", "from .. import services", "db is below services"),
        ("utils", "import os\nfrom .core import types", "utils has no place"),
    ],
)
def test_imports_that_are_wrong(tmp_path: Path, module: str, text: str, rule: str) -> None:
    """What points up, sideways or at another part's vendor is found, wherever it stands, with its place."""
    (line,) = violations(made_up(tmp_path, **{module: text}))
    assert rule in line
    assert line.startswith(f"{PACKAGE}/{module.replace('__', '/')}.py:")
