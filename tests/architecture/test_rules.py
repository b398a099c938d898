"""Rules of the house, as checks that fail."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from image_search_service.core.config import Settings
from tests.architecture.source_rules import (
    broad_handlers,
    calls_in_loops,
    long_files,
    machine_words,
    repeated_class_names,
    without_docstring,
)

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "image_search_service"

BROAD_HANDLERS = {
    "cli/context.py": "the end of a command: its user gets a sentence instead of a traceback",
    "queue/runner.py": "the end of a job: a panic becomes an Exception, and the worker's thread goes on",
}
"""The only files in which any error may be caught, one handler each, and why."""

ONE_BY_ONE = {
    ("get_embedding_by_point_id", ""): "fetch them together: get_embeddings_by_point_ids",
    ("get", "session"): "select them together, by their ids",
    ("refresh", "session"): "select them together, by their ids",
}
"""Methods (and how the name of their object ends) that must not be called once for each of many things."""

MOST_LINES, USUAL_LINES = 400, 300
MOST_SHARED = 2_000
LONG_FILES = {
    "benchmarks/robot.py": "one user: what it sees, knows, decides and types",
    "scripts/try_container.py": "one list of what is tried, by an engine or in the root that buildah made",
    "src/image_search_service/api/routes/decisions.py": "a short route for each of two dozen decisions",
    "src/image_search_service/api/schemas/review.py": "six kinds of questions, which share their parts",
    "src/image_search_service/core/errors.py": "one tree of errors, each with its text",
    "src/image_search_service/db/queries/decisions/current_faces.py": "each fact of a face, read and written",
    "src/image_search_service/db/queries/suggestion_states.py": "a condition and all that uses it",
    "src/image_search_service/demo/portrait.py": "one drawing, whose strokes share their coordinates",
    "src/image_search_service/demo/scenes.py": "a short function for each background",
    "src/image_search_service/faces/assigner.py": "the specification names the file; load, decide, save",
    "src/image_search_service/queue/face_jobs.py": "a short function for each kind of job",
    "src/image_search_service/services/centroid_service.py": "the specification names the file",
    "src/image_search_service/services/doctor/findings.py": "each kind of finding with its text",
    "src/image_search_service/services/indexing/indexer.py": "one run, whose steps share what it knows",
    "src/image_search_service/services/suggestions/search.py": "one search, from persons to stored rows",
    "src/image_search_service/vector/embedded.py": "those methods of QdrantClient that are used",
    "tests/api/test_decisions.py": "each decision over HTTP, on one small library",
    "tests/contract/test_jobs.py": "on every database and queue, from the request to the end",
    "tests/contract/test_qdrant_client.py": "every backend has to do all of it alike",
    "tests/unit/cli/test_commands.py": "indexed once; each command goes on from the last",
    "tests/unit/services/doctor/test_service.py": "one damaged library for each kind of finding",
    "tests/unit/services/suggestions/test_search.py": "all on one library, which is slow to make",
    "tests/unit/vector/test_embedded.py": "everything that the embedded engine promises",
}
"""Files of code with more lines than usual, and why they are not two."""


def tracked_files() -> list[str]:
    """Files that belong to the project, from git; all but what is built where there is no git."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        folders = ["src", "tests", "docs", "benchmarks", "scripts", ".ci"]
        below = [path for folder in folders for path in (ROOT / folder).rglob("*")]
        return [path.relative_to(ROOT).as_posix() for path in [*below, *ROOT.iterdir()] if path.is_file()]
    return [name for name in listed.split("\0") if name]


def test_errors_are_not_swallowed() -> None:
    """Any error is caught only where a command, a worker or a request ends."""
    places = [place.partition(":")[0] for place in broad_handlers(SOURCE)]
    assert sorted(places) == sorted(BROAD_HANDLERS), broad_handlers(SOURCE)


@pytest.mark.parametrize("rule", ONE_BY_ONE)
def test_nothing_is_fetched_one_by_one(rule: tuple[str, str]) -> None:
    """What can be fetched together is not fetched in a loop."""
    method, receiver = rule
    assert not calls_in_loops(SOURCE, method, receiver), ONE_BY_ONE[rule]


def test_nothing_belongs_to_one_machine() -> None:
    """No file of the project names a folder of somebody's machine or the address of a package registry."""
    here = ("tests/architecture/source_rules.py", "tests/architecture/test_rules.py")
    assert not machine_words(ROOT, tracked_files(), exempt=here)


def test_constraints_are_names_and_versions() -> None:
    """Each line of the constraints pins one version, once, in order, with no address."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not re.fullmatch(r"[a-z0-9.-]+==[0-9a-z.]+", line)] == []
    names = [line.partition("==")[0] for line in lines]
    assert names == sorted(set(names))


def test_every_setting_is_explained() -> None:
    """Each setting says in the code what it does, and the operations page names it with its variable."""
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `(IMAGE_SEARCH_[A-Z_]+)` \|", page, re.MULTILINE))
    settings = {f"IMAGE_SEARCH_{name.upper()}": field for name, field in Settings.model_fields.items()}
    assert [name for name, field in settings.items() if not field.description] == []
    assert sorted(settings.keys() - documented) == [], "missing in the table of docs/operations.md"
    assert sorted(documented - settings.keys()) == [], "in the table of docs/operations.md, but no setting"


def test_every_module_says_what_it_is() -> None:
    """Every module with code in it begins with a docstring."""
    assert without_docstring(SOURCE) == []


def test_no_class_name_stands_twice() -> None:
    """One name is one thing; and the API's schemas would get names with their module's path."""
    assert repeated_class_names(SOURCE) == {}


def test_no_file_is_too_long() -> None:
    """No file of code has more than 400 lines, and each above 300 says why."""
    assert long_files(ROOT, tracked_files(), MOST_LINES) == {}
    assert long_files(ROOT, tracked_files(), USUAL_LINES).keys() <= LONG_FILES.keys()
    assert LONG_FILES.keys() <= set(tracked_files())


def test_what_tests_share_is_not_much() -> None:
    """`tests/support` has at most 2,000 lines: a newcomer reads it in an evening."""
    shared = [ROOT / name for name in tracked_files() if name.startswith("tests/support/")]
    assert 0 < sum(len(file.read_text(encoding="utf-8").splitlines()) for file in shared) <= MOST_SHARED


# That these checks can fail, on files made up for it.


def written(folder: Path, text: str) -> Path:
    (folder / "module.py").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    "handler",
    ["except Exception:", "except:", "except BaseException as e:", "except (ValueError, Exception):"],
)
def test_a_broad_handler_is_found(tmp_path: Path, handler: str) -> None:
    """Any way of catching everything is found, unless it raises the same again."""
    text = f"try:\n    pass\n{handler}\n    clean()\n"
    assert broad_handlers(written(tmp_path, text)) == ["module.py:3"]
    assert broad_handlers(written(tmp_path, text + "    raise\n")) == []


def test_a_narrow_handler_is_not_found(tmp_path: Path) -> None:
    """Catching what is expected is right."""
    assert (
        broad_handlers(written(tmp_path, "try:\n    pass\nexcept (OSError, ValueError):\n    pass\n")) == []
    )


@pytest.mark.parametrize(
    "text",
    [
        "for i in ids:\n    x = client.fetch(i)",
        "while ids:\n    x = client.fetch(ids.pop())",
        "x = [client.fetch(i) for i in ids]",
        "x = {i: client.fetch(i) for i in ids}",
        "x = (i for i in ids if client.fetch(i))",
        "x = map(client.fetch, ids)",
        "for i in ids:\n    if i:\n        with a:\n            self.client.fetch(i)",
        "for i in ids:\n    pool.submit(client.fetch, i)",
    ],
)
def test_a_call_in_a_loop_is_found(tmp_path: Path, text: str) -> None:
    """Every kind of loop is seen through."""
    assert len(calls_in_loops(written(tmp_path, text), "fetch", "client")) == 1


@pytest.mark.parametrize(
    "text",
    ["x = client.fetch(1)", "for i in client.fetch(ids):\n    pass", "x = [i for i in client.fetch(ids)]",
     "for i in ids:\n    other.fetch(i)", "for i in ids:\n    client.send(i)"],
)  # fmt: skip
def test_a_call_outside_of_a_loop_is_not_found(tmp_path: Path, text: str) -> None:
    """One call whose answer is gone through is what is wanted."""
    assert calls_in_loops(written(tmp_path, text), "fetch", "client") == []


@pytest.mark.parametrize(
    "text", ["x = '/home/ann/Pictures'", "see /root/x", "pip --index-url", "(/Users/ann)", "pypi.org/simple"]
)
def test_a_machines_words_are_found(tmp_path: Path, text: str) -> None:
    """Home folders and registries are found in any text, and the file's name with the line."""
    (tmp_path / "notes.md").write_text(f"first line\n{text}\n", encoding="utf-8")
    assert machine_words(tmp_path, ["notes.md"]) == [f"notes.md:2: {text}"]
    assert machine_words(tmp_path, ["notes.md"], exempt=["notes.md"]) == []


@pytest.mark.parametrize(
    "text", ["~/Pictures", "src/home/x", "https://example.org/home/x", "a/work/b", "/work"]
)
def test_other_words_are_not_found(tmp_path: Path, text: str) -> None:
    """Paths below one's own folder, parts of addresses and plain words are nobody's machine."""
    (tmp_path / "notes.md").write_text(text, encoding="utf-8")
    assert machine_words(tmp_path, ["notes.md"]) == []


def test_a_module_without_docstring_is_found(tmp_path: Path) -> None:
    """A module with code needs a docstring; an empty one does not."""
    (tmp_path / "empty.py").touch()
    assert without_docstring(written(tmp_path, "x = 1\n")) == ["module.py"]
    assert without_docstring(written(tmp_path, '"""What it is."""\nx = 1\n')) == []


def test_a_repeated_class_name_is_found(tmp_path: Path) -> None:
    """Two classes of one name are found, in one file or in two, inner classes too."""
    (tmp_path / "other.py").write_text("class Face:\n    class Part: ...\n", encoding="utf-8")
    assert repeated_class_names(written(tmp_path, "class Face: ...\nclass Photo: ...\n")) == {
        "Face": ["module.py:1", "other.py:1"]
    }


def test_a_long_file_is_found(tmp_path: Path) -> None:
    """Files of code with more lines than allowed are found; prose may be long."""
    for name in ("code.py", "page.js", "notes.md"):
        (tmp_path / name).write_text("x\n" * 3, encoding="utf-8")
    assert long_files(tmp_path, ["code.py", "page.js", "notes.md", "gone.py"], 2) == {
        "code.py": 3,
        "page.js": 3,
    }
    assert long_files(tmp_path, ["code.py"], 3) == {}
