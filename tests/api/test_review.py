"""The review queue over HTTP: what is asked, in which order, and what that costs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from image_search_service.core.config import Settings
from image_search_service.core.errors import UnavailableError
from image_search_service.db.models import ClusterRow, FaceInstance, FaceSuggestion
from image_search_service.library.opening import open_library
from image_search_service.main import create_app
from image_search_service.services.centroid_service import CentroidService
from tests.support.round_trips import round_trips
from tests.support.served import (
    BASE_URL,
    Served,
    add_faces,
    add_person,
    alike,
    directions,
    no_bar,
    store_embeddings,
)
from tests.support.world import World

LOOKS = directions(40, seed=7)


def group(api: Served, look: int, size: int, *, named: str | None = None, seed: int = 0) -> str:
    """Faces of one look, a cluster without a name or a person's: its id, or the person's."""
    with api.library.database.write() as session:
        world = World(session)
        person = add_person(world, named) if named else None
        columns = {"person_id": person.id, "assigned_by": "human"} if person else {}
        faces = add_faces(api.library, world, alike(LOOKS[look], size, spread=0.3, seed=seed), **columns)
        return str(person.id if person else world.cluster(faces).id)


def ask(api: Served, limit: int = 3, seen: Sequence[str] = ()) -> list[Any]:
    return list(api.get("/review/next", limit=limit, seen=list(seen))["questions"])


def skip(api: Served, question: Any) -> None:
    answer = api.client.post("/api/v1/review/skip", json={"question_id": question["id"]})
    assert answer.status_code == 204, answer.text


def decide(api: Served, what: str, body: Any) -> Any:
    return api.post(f"/decisions/{what}", body, status=200)


def wait_for(
    api: Served, person: str, look: int, number: int, second: str | None = None, **columns: Any
) -> None:
    """Faces of a look that wait for a person, sure suggestions unless ``columns`` say otherwise."""
    with api.library.database.write() as session:
        faces = add_faces(api.library, World(session), alike(LOOKS[look], number, spread=0.3, seed=9))
        fields = {"confidence": 0.9, "second_similarity": 0.1, "margin": 0.8} | columns
        session.add_all(
            FaceSuggestion(
                face_instance_id=face.id,
                person_id=UUID(person),
                state="pending",
                source="centroid",
                evidence=[],
                second_person_id=None if second is None else UUID(second),
                **fields,
            )
            for face in faces
        )


def test_before_anybody_is_known_the_largest_group_is_asked_about(api: Served) -> None:
    """Who is this, largest first, with the clearest faces and the two least alike, and nobody proposed."""
    small, large = group(api, 0, 3), group(api, 1, 20)
    first, second = ask(api)
    assert [(one["kind"], one["cluster"]["id"]) for one in (first, second)] == [
        ("who", large),
        ("who", small),
    ]
    assert (len(first["faces"]), len(second["faces"]), first["proposals"]) == (12, 3, [])
    assert sum(face["least_alike"] for face in first["faces"]) == 2
    assert all(face["path"].endswith(".jpg") for face in first["faces"])
    assert first["version"] == first["cluster"]["version"]
    assert len(first["photos"]) == 3
    assert api.get("/review/next")["progress"] == {"named": 0, "faces": 23, "waiting": 0}


def test_the_two_least_alike_are_those_that_do_not_belong(api: Served) -> None:
    """Two strangers in a group of fifteen are among the twelve faces shown, whatever their quality."""
    with api.library.database.write() as session:
        world = World(session)
        faces = add_faces(api.library, world, alike(LOOKS[0], 13, spread=0.3))
        strangers = add_faces(api.library, world, LOOKS[5:7])
        for face in strangers:
            face.quality_score = 0.1
        world.cluster([*faces, *strangers])
        expected = {str(face.id) for face in strangers}
    (question,) = ask(api)
    assert {face["id"] for face in question["faces"] if face["least_alike"]} == expected


def test_a_known_persons_group_is_one_enter(api: Served) -> None:
    """A group that resembles a person surely is asked about by their name, as soon as they have faces."""
    person = group(api, 0, 6, named="Ada")
    own, other = group(api, 0, 4, seed=1), group(api, 1, 4)
    first, second = ask(api)
    assert [(one["kind"], one["cluster"]["id"]) for one in (first, second)] == [
        ("is_this", own),
        ("who", other),
    ]
    (proposal,) = first["proposals"]
    assert (proposal["person_id"], proposal["name"], proposal["likeness"]) == (person, "Ada", "very")
    assert proposal["chance"] > 0.9
    assert proposal["cover_url"] is not None
    assert second["proposals"] == []


def test_an_answer_counts_for_the_next_question(api: Served) -> None:
    """Whoever has just been named is proposed for the next group that looks like them."""
    group(api, 0, 6)
    group(api, 0, 4, seed=1)
    (first,) = ask(api, limit=1)
    body = {"cluster_ids": [first["cluster"]["id"]], "name": "Ada", "question_id": first["id"]}
    decide(api, "name-clusters", body)
    (second,) = ask(api, seen=[first["id"]])
    assert (second["kind"], second["proposals"][0]["name"]) == ("is_this", "Ada")
    assert api.get("/review/next")["progress"]["named"] == 6


def test_a_decision_that_changes_no_face_is_looked_into_once(api: Served) -> None:
    """Who got another name keeps the centroid; the next questions after that cost what they did before."""
    ada = group(api, 0, 10, named="Ada")
    group(api, 1, 3)
    ask(api)
    with round_trips(api.library.database.engine) as before:
        ask(api)
    decide(api, "rename-person", {"person_id": ada, "name": "Ada Lovelace"})
    ask(api)
    with round_trips(api.library.database.engine) as after:
        ask(api)
    assert (after.statements, dict(after.qdrant)) == (before.statements, dict(before.qdrant))


def test_whom_a_group_is_not_is_not_proposed(api: Served) -> None:
    """After it was said that it is not Ada, nor when she is in its photos with another face."""
    person = group(api, 0, 6, named="Ada")
    cluster = group(api, 0, 4, seed=1)
    decide(api, "mark-different", {"person_ids": [person], "cluster_ids": [cluster]})
    (question,) = ask(api)
    assert (question["kind"], question["proposals"]) == ("who", [])


def test_a_page_of_suggestions_is_ticked_off(api: Served) -> None:
    """Sure suggestions for one person come as a page, and those of a page that was seen do not come again."""
    person = group(api, 0, 6, named="Ada")
    wait_for(api, person, 0, 30)
    (page,) = ask(api)
    assert (page["kind"], page["person"]["name"], len(page["suggestions"])) == ("tick_off", "Ada", 24)
    assert {one["likeness"] for one in page["suggestions"]} == {"very"}
    (rest,) = ask(api, seen=[page["id"]])
    assert len(rest["suggestions"]) == 6
    body = {
        "person_id": person,
        "version": page["version"],
        "accept": [one["id"] for one in page["suggestions"]],
        "question_id": page["id"],
    }
    decide(api, "answer", body)
    assert api.get("/review/next")["progress"] == {"named": 30, "faces": 36, "waiting": 6}


def test_two_lookalikes_are_asked_about_before_their_suggestions(api: Served) -> None:
    """Where one's suggestions may be the other's; once said to be two, the pages come."""
    ada, grace = group(api, 0, 6, named="Ada"), group(api, 1, 6, named="Grace")
    wait_for(api, ada, 0, 10, grace)
    wait_for(api, ada, 0, 3, grace, confidence=0.62, second_similarity=0.61, margin=0.01)
    (question,) = ask(api)
    assert question["kind"] == "two_people"
    sides = [
        (side["name"], side["size"], len(side["faces"])) for side in (question["left"], question["right"])
    ]
    assert sorted(sides) == [("Ada", 6, 6), ("Grace", 6, 6)]
    assert question["shared_photos"] == 0
    assert ask(api, seen=[question["id"]])[0]["kind"] == "tick_off"
    decide(api, "mark-different", {"person_ids": [ada, grace]})
    assert ask(api)[0]["kind"] == "tick_off"


def test_strangers_in_crowds_are_set_aside_together(api: Served) -> None:
    """Small groups of small faces in full photos come as one page."""
    with api.library.database.write() as session:
        world = World(session)
        photos = [world.photo(f"/crowd{number}.jpg") for number in range(2)]
        for position in range(10):
            faces = [world.face(photo, position) for photo in photos]
            for face in faces:
                face.box_height = 5
            store_embeddings(api.library, faces, directions(20)[2 * position :][:2])
            world.cluster(faces)
    (page,) = [one for one in ask(api, limit=10) if one["kind"] == "set_aside"]
    assert len(page["clusters"]) == 10
    ids = [one["id"] for one in page["clusters"]]
    decide(api, "set-aside", {"cluster_ids": ids, "versions": [one["version"] for one in page["clusters"]]})
    assert ask(api) == []


def test_a_skipped_question_comes_last_and_then_not_at_all(api: Served) -> None:
    """Behind the others once skipped; three times, it is away."""
    large, small = group(api, 0, 9), group(api, 1, 3)
    asked = ask(api)[0]
    skip(api, asked)
    assert [one["cluster"]["id"] for one in ask(api)] == [small, large]
    for _ in range(2):
        skip(api, asked)
    assert [one["cluster"]["id"] for one in ask(api)] == [small]


def test_no_question_is_no_error(api: Served) -> None:
    """Nothing to ask is an empty list; what is no question's id is refused."""
    assert ask(api) == []
    api.get("/review/next", seen=["nonsense"], status=422)
    api.post("/review/skip", {"question_id": "nonsense"}, status=422)


def test_a_new_library_has_no_question(tmp_path: Path) -> None:
    """Before anything is indexed there is nothing to ask, which is no error."""
    settings = Settings(library=tmp_path / "library", engine="synthetic", offline=True, require_token=False)
    with (
        open_library(settings, lambda _: None, no_bar) as library,
        TestClient(create_app(library, run_jobs=False), base_url=BASE_URL) as client,
    ):
        answer = client.get("/api/v1/review/next")
    assert answer.status_code == 200
    assert answer.json() == {"questions": [], "progress": {"named": 0, "faces": 0, "waiting": 0}}


def test_without_qdrant_groups_are_asked_about_all_the_same(
    api: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever can name a group need not wait for the vector store; nobody is proposed."""
    group(api, 0, 6, named="Ada")
    cluster = group(api, 0, 5, seed=1)

    def away(*_: Any, **__: Any) -> Any:
        raise UnavailableError("Qdrant does not answer.")

    monkeypatch.setattr(type(api.library.faces), "get_embeddings_by_point_ids", away)
    (question,) = ask(api)
    assert (question["cluster"]["id"], len(question["faces"]), question["proposals"]) == (cluster, 5, [])


def fill(api: Served, clusters: int, waiting: int) -> None:
    """Three persons with suggestions, and so many clusters of two."""
    persons = [group(api, look, 5, named=f"{look} of {clusters}") for look in range(3)]
    for look, person in enumerate(persons):
        wait_for(api, person, look, waiting)
    with api.library.database.write() as session:
        world = World(session)
        faces = add_faces(api.library, world, directions(2 * clusters, seed=3))
        rows = [
            {"id": face.id, "size": 2, "confidence": 0.5, "representative_face_id": face.id}
            for face in faces[::2]
        ]
        session.bulk_insert_mappings(ClusterRow, rows)
        session.bulk_update_mappings(
            FaceInstance,
            [{"id": face.id, "cluster_id": faces[row - row % 2].id} for row, face in enumerate(faces)],
        )
    CentroidService(api.library.stores).compute_centroids()


def test_the_next_questions_cost_the_same_whatever_there_is(
    api: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    """As many statements and requests for 300 clusters and 100 suggestions as for 30 and 10."""
    costs = []
    for clusters, waiting in ((30, 10), (300, 100)):
        fill(api, clusters, waiting)
        ask(api)
        with round_trips(api.library.database.engine) as trips:
            assert len(ask(api)) == 3
        costs.append((trips.statements, dict(trips.qdrant)))
    with capsys.disabled():
        print(f"\nthe next questions: {costs[0][0]} statements, {costs[0][1]}")
    assert costs[0] == costs[1]
    assert sum(costs[0][1].values()) <= 4
