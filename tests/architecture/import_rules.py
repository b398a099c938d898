"""Reads a package's imports from its source and says which of them point the wrong way."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PACKAGE = "image_search_service"

LEVELS = (
    {"core"},
    {"vector", "db", "media", "recognition"},
    {"library.stores", "library.centroids_in_memory", "library.engine", "library.marks", "library.vectors"},
    {"faces"},
    {"services", "demo"},
    {"queue"},
    {"library"},
    {"api", "web"},
    {"main", "cli", "worker", "__main__"},
)
"""From the ground up. A part imports from levels below its own, and never from a neighbour; the entry
points, on top, may call each other. ``library`` stands on two levels: the stores that services take, and
the opening of a library, which builds everything below it."""
ENTRY_POINTS = len(LEVELS) - 1

WAYS_IN = {"api", "web", "cli"}
BEHIND_SERVICES = {"db", "vector", "recognition"}
"""What the ways into the program never import: services give them values, not rows, points or arrays."""

ROOMS = (
    {"jobs", "people", "photos"},
    {"decisions"},
    {"suggestions"},
    {"review"},
    {"exchange", "metadata", "evaluation", "health", "forgetting"},
    {"indexing"},
    {"doctor"},
    {"engine_change"},
    {"backup"},
)
"""The rooms of ``services`` and ``db/queries``: a room imports from rooms before its own. Modules that lie
in no room (``services/centroid_service.py``, ``db/queries/faces.py``) are shared by all."""

_VENDORS: tuple[tuple[set[str], set[str]], ...] = (
    ({"fastapi", "starlette"}, {"api", "web", "main"}),
    ({"qdrant_client", "qdrant_edge", "grpc"}, {"vector"}),
    ({"cv2", "onnxruntime", "dlib", "insightface"}, {"media", "recognition.engines"}),
    ({"huey", "redis"}, {"queue"}),
    ({"pylibjxl", "rawpy", "pathspec"}, {"media"}),
    ({"jinja2", "markupsafe"}, {"web"}),
    ({"sqlalchemy", "alembic", "sqlite3", "psycopg"}, {"db"}),
    ({"typer", "rich", "click"}, {"cli"}),
)
VENDORS = {vendor: parts for vendors, parts in _VENDORS for vendor in vendors}
"""Whose words a library's names are: the only parts in which they appear."""


@dataclass(frozen=True, slots=True)
class Import:
    """``module`` (absolute) is imported in ``file``, in the module ``importer``, at ``line``."""

    file: Path
    line: int
    importer: str
    module: str


def imports_of(root: Path) -> Iterator[Import]:
    """All imports below ``root``, the folder of the package: at the top, in functions, for types only."""
    for file in sorted(root.rglob("*.py")):
        parts = [root.name, *file.relative_to(root).with_suffix("").parts]
        importer = ".".join(part for part in parts if part != "__init__")
        folder = parts[:-1]
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            for module in _modules(node, folder):
                yield Import(file, getattr(node, "lineno", 0), importer, module)


def _modules(node: ast.AST, folder: list[str]) -> list[str]:
    match node:
        case ast.Import(names=names):
            return [alias.name for alias in names]
        case ast.ImportFrom(module=module, names=names, level=level):
            base = folder[: len(folder) + 1 - level] if level else []
            source = ".".join([*base, *([module] if module else [])])
            # ``from package import part`` imports the part; what is no part does no harm in the list.
            return [f"{source}.{alias.name}" for alias in names]
        case ast.Call(func=func, args=[ast.Constant(value=str(name)), *_]) if _called(func) in _IMPORTERS:
            return [name]
        case _:
            return []


_IMPORTERS = {"import_module", "__import__", "find_spec"}


def _called(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def violations(root: Path) -> list[str]:
    """One line for each import that points the wrong way: its place, what it imports, the broken rule."""
    found = {
        f"{item.file.relative_to(root.parent)}:{item.line} imports {item.module}: {rule}"
        for item in imports_of(root)
        if (rule := _broken_rule(item, root.name))
    }
    return sorted(found)


def _broken_rule(item: Import, package: str) -> str | None:
    importer = item.importer.removeprefix(package).removeprefix(".")
    if item.module == package or item.module.startswith(f"{package}."):
        return _broken_level(importer, item.module.removeprefix(package).removeprefix("."))
    vendor = item.module.partition(".")[0]
    allowed = VENDORS.get(vendor)
    if allowed is None or any(importer == part or importer.startswith(f"{part}.") for part in allowed):
        return None
    return f"{vendor} is a word of {' and '.join(sorted(allowed))} only"


def _broken_level(importer: str, imported: str) -> str | None:
    mine, theirs = _part(importer), _part(imported)
    if theirs in (mine, "", "__version__"):
        return _broken_room(importer, imported)
    if mine == "":  # ``__init__.py`` gives the public names on
        return None
    return _broken_order(mine, theirs) or _broken_room(importer, imported)


def _broken_order(mine: str, theirs: str) -> str | None:
    here, there = _level(mine), _level(theirs)
    if here is None or there is None:
        unknown = mine if here is None else theirs
        return f"{unknown or 'the package itself'} has no place in LEVELS (architecture/import_rules.py)"
    if mine in WAYS_IN and theirs in BEHIND_SERVICES:
        return f"{mine} asks services, and never {theirs}"
    if there > here:
        return f"{mine} is below {theirs} and must not know it"
    if there == here < ENTRY_POINTS:
        return (
            None
            if mine.startswith("library.")
            else f"{mine} and {theirs} are neighbours and must not know each other"
        )
    return None


def _broken_room(importer: str, imported: str) -> str | None:
    """Rooms of services among each other, those of queries among each other, and services' use of queries."""
    mine, theirs = _room(importer), _room(imported)
    if mine is None or theirs is None or mine == theirs:
        return None
    here, there = _place(mine, ROOMS), _place(theirs, ROOMS)
    if here is None or there is None:
        unknown = mine if here is None else theirs
        return f"the room {unknown} has no place in ROOMS (tests/architecture/import_rules.py)"
    return f"the room {mine} comes before {theirs} and must not know it" if there > here else None


def _room(module: str) -> str | None:
    """``services.ROOM.x`` and ``db.queries.ROOM.x`` are in a room; what lies beside the rooms is in none."""
    for floor in ("services.", "db.queries."):
        if module.startswith(floor):
            room, _, rest = module.removeprefix(floor).partition(".")
            return room if _place(room, ROOMS) is not None or (rest.islower() and "." in rest) else None
    return None


def _part(module: str) -> str:
    """The part of the package that a module belongs to: its first name, or two where LEVELS has both."""
    first, _, rest = module.partition(".")
    both = f"{first}.{rest.partition('.')[0]}"
    return both if _level(both) is not None else first


def _level(part: str) -> int | None:
    return _place(part, LEVELS)


def _place(name: str, order: tuple[set[str], ...]) -> int | None:
    return next((number for number, names in enumerate(order) if name in names), None)
