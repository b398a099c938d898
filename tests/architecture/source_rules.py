"""Rules about source text that ruff does not have: each function gives one line for each breach."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path


def trees(root: Path) -> Iterator[tuple[str, ast.Module]]:
    """The name (from ``root``, with slashes) and syntax tree of each Python file below ``root``."""
    for file in sorted(root.rglob("*.py")):
        yield file.relative_to(root).as_posix(), ast.parse(file.read_text(encoding="utf-8"))


def broad_handlers(root: Path) -> list[str]:
    """``file:line`` of each handler that would swallow any error. One that ends with ``raise`` does not."""
    return [
        f"{name}:{node.lineno}"
        for name, tree in trees(root)
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler) and _is_broad(node.type) and not _raises_again(node)
    ]


def _is_broad(kind: ast.expr | None) -> bool:
    if isinstance(kind, ast.Tuple):
        return any(_is_broad(item) for item in kind.elts)
    return kind is None or _name(kind) in ("Exception", "BaseException")


def _raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def calls_in_loops(root: Path, method: str, receiver: str = "") -> list[str]:
    """``file:line`` of each call of ``….method(…)`` that runs once for each item of something.

    In a ``for``, a ``while``, a comprehension, or given to ``map``; ``receiver`` is how the name of the
    object ends whose method it is. A function that is defined in a loop counts as being called there.
    """
    found = {
        f"{name}:{call.lineno}"
        for name, tree in trees(root)
        for loop in ast.walk(tree)
        for part in _repeated(loop)
        for call in ast.walk(part)
        if isinstance(call, ast.expr) and _is_method(call, method, receiver)
    }
    return sorted(found)


def _repeated(node: ast.AST) -> Iterable[ast.AST]:
    """Those parts of ``node`` that run more than once, if it is a loop of some kind."""
    match node:
        case ast.For(body=body) | ast.AsyncFor(body=body):
            return body
        case ast.While(test=test, body=body):
            return [test, *body]
        case ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
            return [node.elt, *_inner(node.generators)]
        case ast.DictComp():
            return [node.key, node.value, *_inner(node.generators)]
        case ast.Call(func=func, args=[function, *_]) if _name(func) in ("map", "map_ahead", "submit"):
            return [function]
        case _:
            return []


def _inner(generators: list[ast.comprehension]) -> list[ast.expr]:
    conditions = [condition for generator in generators for condition in generator.ifs]
    return conditions + [generator.iter for generator in generators[1:]]


def _is_method(node: ast.expr, method: str, receiver: str) -> bool:
    """True for ``x.method(…)``, and for ``x.method`` itself, which ``map`` would call."""
    if not isinstance(node, ast.Attribute) or node.attr != method:
        return False
    return _name(node.value).endswith(receiver)


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def without_docstring(root: Path) -> list[str]:
    """Modules with code and without a docstring; an empty ``__init__.py`` needs none."""
    return [name for name, tree in trees(root) if tree.body and not ast.get_docstring(tree)]


def repeated_class_names(root: Path) -> dict[str, list[str]]:
    """Each class name that stands twice or more below ``root``, with ``file:line`` of each."""
    places = defaultdict(list)
    for name, tree in trees(root):
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(f"{name}:{node.lineno}")
    return {name: found for name, found in places.items() if len(found) > 1}


def long_files(root: Path, files: Iterable[str], more_than: int) -> dict[str, int]:
    """How many lines each file of code has that has more than so many."""
    code = [
        name for name in files if name.endswith((".py", ".js", ".css", ".html")) and (root / name).is_file()
    ]
    lines = {name: len((root / name).read_text(encoding="utf-8").splitlines()) for name in code}
    return {name: number for name, number in lines.items() if number > more_than}


_MACHINE = re.compile(
    r"(?<![\w./~-])/(?:home|Users|root|work)/\w"  # somebody's folder
    r"|--(?:extra-)?index-url|--find-links|--trusted-host"  # where somebody gets packages from
    r"|pypi\.org/simple|files\.pythonhosted\.org|registry\.npmjs\.org",
)


def machine_words(root: Path, files: Iterable[str], *, exempt: Collection[str] = ()) -> list[str]:
    """``file:line`` and the text of whatever belongs to one machine: home folders, package registries."""
    found = []
    for name in files:
        if name in exempt or not (root / name).is_file():
            continue
        try:
            text = (root / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # no text
        found += [
            f"{name}:{number}: {line.strip()[:80]}"
            for number, line in enumerate(text.splitlines(), 1)
            if _MACHINE.search(line)
        ]
    return found
