"""A list of names: one decision for all of them."""

from __future__ import annotations

import pytest

from tests.support.databases import depth
from tests.support.round_trips import round_trips
from tests.support.served import Served


def names(api: Served) -> set[str]:
    return {person["name"] for person in api.get("/persons/names")["names"]}


def test_a_list_is_one_decision_with_one_undo(api: Served) -> None:
    """Everybody on it exists after one decision, whoever existed is left alone; one undo takes it back."""
    api.post("/decisions/create-person", {"name": "Ada Lovelace"}, status=200)
    wanted = ["Grace Hopper", "ADA  lovelace", "grace hopper", "\u05e9\u05e8\u05d4 \u05dc\u05d5\u05d9"]
    made = api.post("/decisions/create-persons", {"names": wanted}, status=200)
    said = [(person["name"], person["created"]) for person in made["persons"]]
    assert said == [("Grace Hopper", True), ("Ada Lovelace", False), (wanted[3], True)]
    assert (made["refused"], names(api)) == ([], {"Ada Lovelace", "Grace Hopper", wanted[3]})
    (event,) = api.get("/decisions", limit=1)["items"]
    assert (event["id"], event["kind"], event["changes"]) == (made["decision_id"], "create_persons", 4)
    api.post(f"/decisions/{made['decision_id']}/undo", status=200)
    assert names(api) == {"Ada Lovelace"}


def test_names_that_cannot_be_do_not_stop_the_others(api: Served) -> None:
    """Each of them is returned with the reason; a list of nothing else is no decision."""
    wrong = [" ", "\u200b", "x" * 201, "\ufeff\u0000"]
    made = api.post("/decisions/create-persons", {"names": [*wrong, "Ada"]}, status=200)
    assert [refused["name"] for refused in made["refused"]] == wrong
    assert all(refused["reason"].endswith(".") for refused in made["refused"])
    assert names(api) == {"Ada"}
    again = api.post("/decisions/create-persons", {"names": [*wrong, "ada"]}, status=200)
    assert (again["decision_id"], len(again["refused"])) == (None, 4)
    api.post("/decisions/create-persons", {"names": []}, status=422)


@pytest.mark.parametrize("number", [100, depth(450)])
def test_a_long_list_costs_no_more_statements(api: Served, number: int) -> None:
    """A list of many names takes as many statements as one of two."""
    costs = []
    for start, end in ((0, 2), (2, number)):
        with round_trips(api.library.database.engine) as trips:
            wanted = [f"Somebody {at}" for at in range(start, end)]
            api.post("/decisions/create-persons", {"names": wanted}, status=200)
        costs.append(trips.statements)
    assert costs[0] == costs[1]
