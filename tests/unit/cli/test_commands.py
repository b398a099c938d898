"""The command ``image-search``, from an empty folder to named people."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from image_search_service.cli.app import app
from image_search_service.core.lock import LibraryLock
from tests.unit.cli.conftest import Run

FACES = 60


@pytest.fixture(scope="module")
def album(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(drawn, tmp_path_factory.mktemp("album") / "photos"))


def test_demo_draws_faces(tmp_path: Path) -> None:
    """As many faces as were asked for are drawn into the folder that was named."""
    folder = tmp_path / "photos"
    result = CliRunner().invoke(app, ["demo", str(folder), "--faces", "3", "--json"])
    assert result.exit_code == 0
    made = json.loads(result.stdout)
    assert (made["faces"], made["folder"]) == (3, str(folder))


def test_index_prints_one_line_of_json(run: Run, album: Path) -> None:
    """The document has every key that programs rely on, on one line."""
    code, document, _ = run("index", str(album), "--engine", "synthetic")
    assert code == 0
    assert set(document) >= {
        *("photos_seen", "photos_new", "photos_unchanged", "photos_failed", "faces", "clusters"),
        *("clustered_faces", "noise_faces", "seconds", "photos_per_second", "engine", "failures"),
    }
    assert (document["faces"], document["engine"]) == (FACES, "synthetic")
    assert document["clustered_faces"] + document["noise_faces"] == FACES
    assert len(document["failures"]) == document["photos_failed"] > 0
    assert set(document["failures"][0]) == {"path", "reason"}
    assert (document["photos_waiting"], document["waiting"], document["waiting_reasons"]) == (0, [], {})


def test_index_table_names_failures(run: Run, album: Path) -> None:
    """A human is told how many photos, faces and groups there are, and what could not be read."""
    code, shown, _ = run("index", str(album), json_=False)
    assert code == 0
    assert "empty.jpg" in shown
    assert "The file is empty." in shown
    assert "image-search name" in shown


def test_cluster_says_what_it_did(run: Run) -> None:
    """Grouping again gives the same groups, with the parameters that were used."""
    before = run("people")[1]["clusters"]
    code, document, _ = run("cluster")
    assert code == 0
    assert set(document) == {
        "faces", "clusters", "noise_faces", "seconds", "method", "parameters", "assigned",
    }  # fmt: skip
    assert document["parameters"]["min_cluster_size"] == 2
    assert document["assigned"] is None
    assert run("people")[1]["clusters"] == before


def test_cluster_says_what_it_would_do(run: Run) -> None:
    """With --dry-run it tells what would change, here nothing, and changes nothing."""
    before = run("people")[1]["clusters"]
    code, document, _ = run("cluster", "--dry-run")
    assert code == 0
    assert {document[name] for name in ("joined", "split", "new", "dissolved", "moved")} == {0}
    assert run("people")[1]["clusters"] == before
    assert run("cluster", "--dry-run", "--dual")[0] == 2


@pytest.mark.parametrize("method", ["hdbscan", "dbscan", "agglomerative"])
def test_former_methods_are_taken_for_the_one_that_there_is(run: Run, method: str) -> None:
    """A script that names a method of former versions still groups, and the answer says by what."""
    code, document, _ = run("cluster", "--method", method)
    assert (code, document["method"]) == (0, "agglomerative")
    assert document["noise_faces"] < document["faces"] / 2


def test_index_keeps_to_the_method_chosen(run: Run, album: Path) -> None:
    """What was chosen for grouping holds for the next run of indexing, too."""
    assert run("cluster", "--min-cluster-size", "3")[0] == 0
    sizes = [cluster["faces"] for cluster in run("people")[1]["clusters"]]
    assert min(sizes) >= 3
    assert run("cluster", "--min-cluster-size", "2")[0] == 0


def test_naming_and_finding(run: Run) -> None:
    """Two groups get names; photos of both show both; people lists them with their sizes."""
    first, second = run("people")[1]["clusters"][:2]
    code, named, _ = run("name", first["id"][:8], "Ada Lovelace")
    assert (code, named["faces"], named["created"]) == (0, first["faces"], True)
    assert run("name", second["id"], "Grace [bold]Hopper")[0] == 0
    people = run("people")[1]["people"]
    assert [person["name"] for person in people] == ["Ada Lovelace", "Grace [bold]Hopper"]
    assert all(person["sample"] for person in people)
    photos = run("photos", "--person", "ada lovelace")[1]["photos"]
    assert len(photos) == people[0]["photos"]
    both = run("photos", "--person", "Ada Lovelace", "--person", "grace [bold]hopper")[1]["photos"]
    assert {photo["path"] for photo in both} <= {photo["path"] for photo in photos}
    assert "Grace [bold]Hopper" in run("people", json_=False)[1]


def test_named_faces_are_left_alone_by_grouping(run: Run) -> None:
    """Grouping again does not touch who has a name."""
    before = run("people")[1]["people"]
    assert run("cluster")[0] == 0
    assert run("people")[1]["people"] == before


def test_assign_and_dual_say_what_they_did(run: Run) -> None:
    """Faces are compared with the two people who have names; what is assigned once is not assigned again."""
    code, first, _ = run("assign")
    assert (code, first["persons"]) == (0, 2)
    code, second, _ = run("cluster", "--dual")
    assert code == 0
    assert second["assigned"]["assigned"] == 0
    assert second["assigned"]["faces"] == first["faces"] - first["assigned"] == second["faces"]
    assert "given to them" in run("cluster", "--dual", json_=False)[1]


def test_deciding_and_taking_it_back(run: Run) -> None:
    """A merge is listed with who and when, undone, and what follows from the decisions is what is there."""
    before = run("people")[1]["people"]
    first, second = (person["name"] for person in before)
    code, merged, _ = run("merge", second, "--into", first)
    assert (code, len(run("people")[1]["people"])) == (0, 1)
    code, listed, _ = run("history", "--limit", "1")
    assert (listed["decisions"][0]["id"], listed["decisions"][0]["kind"]) == (
        merged["decision"],
        "merge_persons",
    )
    assert run("undo", str(merged["decision"]))[0] == 0
    assert run("people")[1]["people"] == before
    assert run("undo", str(merged["decision"]))[0] == 1
    assert run("rename", second, "Rear Admiral")[0] == 0
    assert run("undo", str(run("history", "--limit", "1")[1]["decisions"][0]["id"]))[0] == 0
    code, report, _ = run("rebuild", "--check")
    assert (code, report["wrong"]) == (0, 0)
    assert "merge persons" in run("history", json_=False)[1]


def test_saying_things_of_people(run: Run) -> None:
    """Each decision about people is made, listed, and undone, so that everything is as it was."""
    before = run("people")[1]
    first, second = (person["name"] for person in before["people"])
    start = run("history", "--limit", "1")[1]["decisions"][0]["id"]
    face = run("people")[1]["clusters"][0]["representative_face_id"]
    one, other = (group["id"][:12] for group in before["clusters"][:2])
    said = [
        ("create", "Nobody yet"),
        ("hide", first),
        ("unhide", first),
        ("born", first, "1815-12-10"),
        ("born", first),
        ("different", first, second),
        ("different", first, second, "--take-back"),
        ("different", one, other, "--groups"),
        ("group", face),
        ("group", face, "--into", other),
        ("give", face, "--to", "Ada B."),
        ("cover", "Ada B.", face),
        ("pin", "Ada B.", face),
        ("pin", "Ada B.", face, "--take-back"),
        ("not-a-face", face),
    ]
    numbers = []
    for arguments in said:
        code, made, error = run(*arguments)
        assert code == 0, (arguments, error)
        numbers.append(made["decision"])
    assert numbers == sorted(set(numbers))
    assert min(numbers) > start
    about = run("history", "--of", face)[1]["decisions"]
    assert {one["id"] for one in about} >= set(numbers[-7:]) - {numbers[-4]}
    earlier = run("history", "--before", str(numbers[1]), "--of", "Nobody yet")[1]["decisions"]
    assert [one["id"] for one in earlier] == [numbers[0]]
    for number in reversed(numbers):
        assert run("undo", str(number))[0] == 0
    assert run("people")[1] == before


def test_hidden_people_can_be_found_again(run: Run) -> None:
    """Who was hidden is listed when asked for, and is among the others again when that is taken back."""
    before = run("people")[1]["people"]
    name = before[0]["name"]
    hidden = run("hide", name)[1]["decision"]
    assert run("people")[1]["people"] == before[1:]
    assert run("people", "--hidden")[1]["people"] == before[:1]
    assert run("undo", str(hidden))[0] == 0
    assert (run("people")[1]["people"], run("people", "--hidden")[1]["people"]) == (before, [])


def test_faces_are_listed_with_their_ids(run: Run) -> None:
    """The faces of a person, of a group and in a photo are listed, the clearest first; one of the three."""
    everybody = run("people")[1]
    person, group = everybody["people"][0], everybody["clusters"][0]
    theirs = run("faces", "--person", person["name"])[1]
    assert (theirs["total"], {face["person"] for face in theirs["faces"]}) == (
        person["faces"],
        {person["name"]},
    )
    some = run("faces", "--group", group["id"][:8], "--limit", "2")[1]
    assert (some["total"], len(some["faces"])) == (group["faces"], 2)
    assert some["faces"][0]["quality"] >= some["faces"][1]["quality"]
    photo = theirs["faces"][0]["path"]
    assert theirs["faces"][0]["id"] in {face["id"] for face in run("faces", "--photo", photo)[1]["faces"]}
    assert theirs["faces"][0]["id"] in run("faces", "--photo", photo, json_=False)[1]
    assert run("faces")[0] == run("faces", "--person", person["name"], "--photo", photo)[0] == 2
    assert run("faces", "--photo", "/nowhere.jpg")[0] == 1


def test_one_decision_is_shown(run: Run) -> None:
    """What a decision changed is shown fact by fact, by name, as it was before and is then."""
    name = run("people")[1]["people"][0]["name"]
    face = run("faces", "--person", name, "--limit", "1")[1]["faces"][0]["id"]
    made = run("unassign", face)[1]["decision"]
    listed = run("history", "--limit", "1")[1]["decisions"][0]
    assert ([one["name"] for one in listed["persons"]], listed["faces"]) == ([name], 1)
    shown = run("history", str(made))[1]
    assert {one["fact"]: one["subject_id"] for one in shown["facts"]} == {
        "face_person": face,
        "rejected": face,
    }
    table = run("history", str(made), json_=False)[1]
    assert name in table
    assert "1 of 2 changes" in run("history", str(made), "--limit", "1", json_=False)[1]
    assert run("undo", str(made))[0] == 0
    assert run("history", "9999")[0] == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("born", "Nobody", "1815-12-10"),
        ("born", "{name}", "yesterday"),
        ("give", "00000000-0000-0000-0000-000000000001", "--to", "Ada"),
        ("cover", "{name}", "00000000-0000-0000-0000-000000000001"),
        ("different", "{name}", "{name}"),
        ("different", "ffffffff", "eeeeeeee", "--groups"),
        ("create", "{name}"),
        ("history", "--of", "Nobody"),
        ("accept", "--person", "{name}", "--find-more", "magic"),
    ],
)
def test_what_cannot_be_decided(run: Run, arguments: tuple[str, ...]) -> None:
    """What is wrong is said, and nothing is decided."""
    name = run("people")[1]["people"][0]["name"]
    before = run("history", "--limit", "1")[1]
    assert run(*(one.replace("{name}", name) for one in arguments))[0] in {1, 2}
    assert run("history", "--limit", "1")[1] == before


def test_answers_are_followed_up(run: Run) -> None:
    """Rejecting can look for more at once."""
    name = run("people")[1]["people"][0]["name"]
    found = run("suggest", "--person", name)[1]["suggestions"]
    code, made, _ = run("reject", "--person", name, "--find-more", "multi_prototype")
    assert code == 0
    if found:
        assert {"threshold", "second_best", "margin"} <= found[0].keys()
        assert made["found_more"]["persons"] == 1
        assert run("undo", str(made["decision"]))[0] == 0


def test_names_from_and_into_metadata(run: Run, album: Path) -> None:
    """Sidecars are written when asked for, and reading them again names nobody anew."""
    assert run("metadata", "write", "--dry-run")[1]["written"] > 0
    assert list(album.rglob("*.xmp")) == []
    written = run("metadata", "write")[1]["written"]
    assert written == len(list(album.rglob("*.xmp")))
    code, read, _ = run("metadata", "read")
    assert (code, read["decisions"]) == (0, [])
    assert read["matched"] >= written
    for sidecar in album.rglob("*.xmp"):
        sidecar.unlink()


def test_answering_suggestions(run: Run) -> None:
    """What is suggested is accepted or rejected, all or face by face; rejected faces do not come back."""
    name = run("people")[1]["people"][0]["name"]
    found = run("suggest", "--person", name)[1]["suggestions"]
    if found:
        assert run("reject", found[0]["face_id"], "--person", name)[1]["changes"] == 1
    code, rejected, _ = run("reject", "--person", name)
    assert (code, rejected["changes"]) == (0, max(0, len(found) - 1))
    assert run("suggest", "--person", name)[1]["suggestions"] == []
    assert run("accept", "--person", name)[1]["decision"] is None


def test_why_a_face_has_no_person(run: Run) -> None:
    """A named face says whose it is, one taken away what stands in the way, one that is none says that."""
    face = run("people")[1]["clusters"][0]["representative_face_id"]
    given = run("give", face, "--to", "Ada C.")[1]["decision"]
    assert run("why", face)[1]["person_name"] == "Ada C."
    taken = run("unassign", face)[1]["decision"]
    code, why, _ = run("why", face)
    assert (code, why["person_id"]) == (0, None)
    assert why["reasons"]
    assert run("why", face, json_=False)[1].splitlines()[0] == why["reasons"][0]["text"]
    no_face = run("not-a-face", face)[1]["decision"]
    assert [one["because"] for one in run("why", face)[1]["reasons"]] == ["not_a_face"]
    for decision in (no_face, taken, given):
        assert run("undo", str(decision))[0] == 0
    assert run("why", "00000000-0000-0000-0000-000000000001")[0] == 1


def test_out_of_one_library_and_into_another(run: Run, album: Path, tmp_path: Path) -> None:
    """Names written by export are found again by import in a new library of the same photos."""
    people = {person["name"]: person["faces"] for person in run("people")[1]["people"]}
    file = tmp_path / "people.jsonl"
    assert run("export", str(file), json_=False)[0] == 0
    other = ["--library", str(tmp_path / "other"), "--json"]
    assert CliRunner().invoke(app, ["index", str(album), "--engine", "synthetic", *other]).exit_code == 0
    result = CliRunner().invoke(app, ["import", str(file), *other])
    assert result.exit_code == 0, result.stdout
    assert (result.exit_code, json.loads(result.stdout)["unmatched"]) == (0, 0)
    there = json.loads(CliRunner().invoke(app, ["people", *other]).stdout)["people"]
    assert {person["name"] for person in there} == people.keys()


def test_info_tells_where_things_are(run: Run, library: Path) -> None:
    """Versions, engine, paths, counts and sizes."""
    code, document, _ = run("info")
    assert code == 0
    assert document["engine"]["name"] == "synthetic"
    assert document["paths"]["library"] == str(library)
    assert document["counts"]["faces"] == FACES
    assert document["bytes"]["database"] > 0
    assert "qdrant-edge-py" in document["versions"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["index", "/no/such/folder"], 2, "/no/such/folder"),
        (["cluster", "--method", "kmeans"], 2, "agglomerative"),
        (["cluster", "--min-cluster-size", "1"], 2, "min_cluster_size"),
        (["cluster", "--memory", "lots"], 2, "500M"),
        (["name", "zzzz", "Ada"], 2, "zzzz"),
        (["name", "00000000", "Ada"], 1, "image-search people"),
        (["photos", "--person", "Nobody"], 1, "Nobody"),
        (["index", ".", "--engine", "dlib"], 1, "synthetic"),
        (["index", ".", "--engine", "nonsense"], 1, "synthetic"),
        (["models", "pull", "nonsense"], 2, "nonsense"),
    ],
)
def test_errors_say_what_is_wrong_and_what_to_do(
    run: Run, arguments: list[str], code: int, said: str
) -> None:
    """Wrong use ends with 2, anything else with 1; there is a sentence, a hint, and no traceback."""
    ended, document, shown = run(*arguments)
    assert ended == code
    assert document["error"]["message"]
    assert document["error"]["hint"]
    assert said in shown
    assert "Traceback" not in shown


def test_library_in_use_is_refused(run: Run, library: Path) -> None:
    """While another process has the library, a command ends with 1 and names that process."""
    with LibraryLock(library / "library.lock"):
        code, _, shown = run("people")
    assert code == 1
    assert "is in use by process" in shown
