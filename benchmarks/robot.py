"""A robot that knows who is who names a library over HTTP, and counts what that costs a person.

The keys are those of the review page: Enter or a digit takes a proposal, a name is typed until it is the
first in the list, or whole if nobody has it, and Enter; ``x`` unticks; Space skips; ``y`` and ``n``
answer.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

PREFIX = "/api/v1"
WAIT_SECONDS = 120.0
PAGE = 200


class Client(Protocol):
    """What of ``httpx.Client`` is called; ``fastapi.testclient.TestClient`` has it, too."""

    def get(self, url: str, *, params: Any = None) -> Any: ...

    def post(self, url: str, *, json: Any = None) -> Any: ...


class Truth(Protocol):
    """Who is who."""

    def names(
        self, path: str, boxes: Sequence[Mapping[str, float]], size: tuple[int, int]
    ) -> list[str | None]:
        """Whose the faces of a photo are, by its file, their boxes in pixels and its size; None for somebody
        whom nobody knows."""
        ...

    def wanted(self) -> Mapping[str, int]:
        """The names that are to be given, and how many faces each has."""
        ...


@dataclass(slots=True)
class Tally:
    """What the naming cost, and how far it came. kinds: answers by kind of question. given: faces with a name
    of which it is known whose they are. named: those of them who are wanted. wrong: faces with a
    name that is not theirs."""

    answers: int = 0
    keys: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    named: int = 0
    wrong: int = 0
    given: int = 0
    seconds: float = 0.0

    @property
    def keys_per_face(self) -> float:
        return self.keys / max(self.given, 1)

    @property
    def wrong_share(self) -> float:
        return self.wrong / max(self.given, 1)


class LibraryView:
    """The library as its API shows it, and the truth about its faces."""

    def __init__(self, client: Client, truth: Truth) -> None:
        self._client = client
        self._truth = truth
        self._names: dict[str, str | None] = {}
        self._photos: set[str] = set()

    def get(self, path: str, **query: Any) -> Any:
        answer = self._client.get(PREFIX + path, params=query)
        if answer.status_code != 200:
            raise RuntimeError(f"GET {path}: {answer.status_code} {answer.text[:500]}")
        return answer.json()

    def post(self, path: str, body: Any) -> Any:
        answer = self._client.post(PREFIX + path, json=body)
        if answer.status_code not in (200, 202, 204):
            raise RuntimeError(f"POST {path}: {answer.status_code} {answer.text[:500]}")
        return None if answer.status_code == 204 else answer.json()

    def decide(self, kind: str, body: Any) -> Any:
        """A decision, and the end of the jobs that it started: the next question is always the same."""
        made = self.post(f"/decisions/{kind}", body)
        for job in made.get("job_ids", []):
            self.wait(job)
        return made

    def whom(self, name: str) -> dict[str, str]:
        """The person of this name as decisions take it: as in a page's list, somebody known by id."""
        known = {one["name"]: one["id"] for one in self.get("/persons/names")["names"]}
        return {"name": name, "same": known[name]} if name in known else {"name": name}

    def wait(self, job: str, seconds: float = WAIT_SECONDS) -> None:
        """Until a job has ended."""
        deadline = time.monotonic() + seconds
        while self.get(f"/jobs/{job}")["state"] in ("queued", "running"):
            if time.monotonic() > deadline:
                raise RuntimeError(f"The job {job} has not ended after {seconds} s.")
            time.sleep(0.005)

    def export(self) -> list[Any]:
        """The lines of an export."""
        answer = self._client.get(f"{PREFIX}/export")
        if answer.status_code != 200:
            raise RuntimeError(f"GET /export: {answer.status_code} {answer.text[:500]}")
        return [json.loads(line) for line in answer.text.splitlines()]

    def name(self, face: str, asset: str) -> str | None:
        """Whose face it is in truth."""
        if asset not in self._photos:
            self._photos.add(asset)
            shown = self.get(f"/assets/{asset}/faces")
            photo, faces = shown["photo"], shown["faces"]
            size = photo["width"], photo["height"]
            names = self._truth.names(photo["path"], [one["box"] for one in faces], size)
            self._names |= {one["id"]: name for one, name in zip(faces, names, strict=True)}
        return self._names.get(face)

    def members(self, cluster: str) -> dict[str, str | None]:
        """The faces of a cluster, and whose they are."""
        found: dict[str, str | None] = {}
        cursor: str | None = None
        while True:
            query = {"limit": PAGE} | ({} if cursor is None else {"cursor": cursor})
            page = self.get(f"/faces/clusters/{cluster}", **query)["faces"]
            found |= {face["id"]: self.name(face["id"], face["asset_id"]) for face in page["items"]}
            cursor = page["next_cursor"]
            if cursor is None:
                return found


class Robot:
    """Names the wanted people until a share of their faces has a name. careful: it unticks and marks what it
    sees to be wrong; else it presses Enter whatever is asked."""

    def __init__(self, library: LibraryView, wanted: Mapping[str, int], *, careful: bool = True) -> None:
        self.view = library
        self._library = library
        self._wanted = wanted
        self._known: set[str] = set()
        self._faces: Counter[str] = Counter()
        self._careful = careful
        self._given: dict[str, tuple[str, str | None]] = {}
        self.tally = Tally()

    @property
    def share(self) -> float:
        """Of the faces of the wanted people that have a name, right or wrong."""
        return self.tally.named / sum(self._wanted.values())

    @property
    def faces_named(self) -> dict[str, str]:
        """The name that each face has got."""
        return {face: name for face, (name, _) in self._given.items()}

    def by_queue(self, share: float, names: Sequence[str] = ()) -> Tally:
        """Answer the queue until the share is reached, or there is nothing left to ask.

        names: a list that is pasted before, so that they are known and cost no key.
        """
        started = time.monotonic()
        for name in names:
            self._library.decide("create-person", {"name": name})
        self._known |= {name.casefold() for name in names}
        seen: list[str] = []
        while self.share < share:
            found = self._library.get("/review/next", limit=1, seen=seen[-200:])["questions"]
            if not found:
                break
            seen.append(found[0]["id"])
            self.tally.answers += 1
            self.tally.kinds[found[0]["kind"]] += 1
            self.tally.keys += self._answer(found[0])
        self.tally.seconds = time.monotonic() - started
        return self.tally

    def by_size(self, share: float) -> Tally:
        """As most programs do it: the groups, the largest first, and each name is typed in full."""
        started = time.monotonic()
        for cluster in self._clusters():
            if self.share >= share:
                break
            members = self._library.members(cluster["id"])
            name = _most(members.values())
            if name is None or name not in self._wanted:
                continue
            self._library.decide("name-cluster", {"cluster_id": cluster["id"], **self._library.whom(name)})
            self._note(members, name)
            self.tally.answers += 1
            self.tally.keys += len(name) + 1
        self.tally.seconds = time.monotonic() - started
        return self.tally

    def _clusters(self) -> list[Any]:
        found: list[Any] = []
        cursor: str | None = None
        while True:
            query = {"limit": PAGE} | ({} if cursor is None else {"cursor": cursor})
            page = self._library.get("/faces/clusters", **query)
            found += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return found

    def _answer(self, question: Any) -> int:
        """Answer it; how many keys that takes."""
        answers: Mapping[str, Callable[[Any], int]] = {
            "who": self._who,
            "is_this": self._is_this,
            "tick_off": self._tick_off,
            "two_people": self._two_people,
            "set_aside": self._set_aside,
        }
        return answers.get(question["kind"], self._skip)(question)

    def _skip(self, _question: Any) -> int:
        """Space. Nothing is said, so that the server need not know: it is not asked again in this sitting."""
        return 1

    def _who(self, question: Any) -> int:
        name = _most(self._library.name(face["id"], face["asset_id"]) for face in question["faces"])
        if name is None or name not in self._wanted:
            return self._skip(question)
        proposed = [one["name"] for one in question["proposals"]]
        keys = 1 if name in proposed else self._typed(name, proposed)
        return keys + self._name(question, name)

    def _is_this(self, question: Any) -> int:
        proposed = question["proposals"][0]["name"]
        name = _most(self._library.name(face["id"], face["asset_id"]) for face in question["faces"])
        if self._careful and name != proposed:
            return self._who(question)
        return 1 + self._name(question, proposed)

    def _typed(self, name: str, proposed: Sequence[str]) -> int:
        """Letters until it is first in the list, and Enter.

        The list has names of which a word begins so: those who are proposed, those who have no face yet
        (whoever has one would have been proposed), those that begin so themselves, those with most faces
        (``matching`` in the page's ``names.js``).
        """
        if name.casefold() not in self._known:
            return len(name) + 1
        first = [each.casefold() for each in proposed]
        words = _beginnings(name.casefold())
        return 1 + min(self._letters(name.casefold(), word, first) for word in words)

    def _letters(self, name: str, word: str, proposed: Sequence[str]) -> int:
        """Of a name from one of its words on, until no other name comes before it; a whole name always is the
        first."""
        for number in range(1, len(word) + 1):
            typed = word[:number]
            place = self._place(name, typed)
            before = [*proposed, *(one for one in self._known if self._place(one, typed) < place)]
            if not any(each.startswith(typed) for one in before for each in _beginnings(one)):
                return number
        return len(name)

    def _place(self, name: str, typed: str) -> tuple[bool, bool, int, str]:
        """By what the list is sorted."""
        return self._faces[name] > 0, not name.startswith(typed), -self._faces[name], name

    def _name(self, question: Any, name: str) -> int:
        """Name the group, without those faces shown that are seen to be somebody else's; the marks' keys."""
        shown = {face["id"]: self._library.name(face["id"], face["asset_id"]) for face in question["faces"]}
        marked = [face for face, whose in shown.items() if whose not in (name, None)] if self._careful else []
        cluster = question["cluster"]
        members = self._library.members(cluster["id"])
        self._library.decide(
            "name-clusters",
            {
                "cluster_ids": [cluster["id"]],
                "versions": [question["version"]],
                **self._library.whom(name),
                "except_face_ids": marked,
                "question_id": question["id"],
            },
        )
        self._note({face: whose for face, whose in members.items() if face not in marked}, name)
        return len(marked)

    def _tick_off(self, question: Any) -> int:
        name = question["person"]["name"]
        whose = {
            one["id"]: (one["face_id"], self._library.name(one["face_id"], one["asset_id"]))
            for one in question["suggestions"]
        }
        wrong = [one for one, (_, true) in whose.items() if true not in (name, None)] if self._careful else []
        self._library.decide(
            "answer",
            {
                "person_id": question["person"]["id"],
                "accept": [one for one in whose if one not in wrong],
                "reject": wrong,
                "question_id": question["id"],
            },
        )
        self._note({face: true for one, (face, true) in whose.items() if one not in wrong}, name)
        return 1 + len(wrong)

    def _two_people(self, question: Any) -> int:
        """A name stands for a person, so that two names are two people."""
        ids = [question["left"]["id"], question["right"]["id"]]
        if self._careful:
            self._library.decide("mark-different", {"person_ids": ids})
        return 1

    def _set_aside(self, question: Any) -> int:
        clusters = {
            one["id"]: _most(self._library.members(one["id"]).values()) for one in question["clusters"]
        }
        wanted = [one for one, name in clusters.items() if name in self._wanted] if self._careful else []
        chosen = [one for one in clusters if one not in wanted]
        if chosen:
            self._library.decide("set-aside", {"cluster_ids": chosen})
        return 1 + len(wanted)

    def _note(self, faces: Mapping[str, str | None], name: str) -> None:
        """Remember who got which name; faces of whom nobody knows who they are count as neither."""
        self._known.add(name.casefold())
        for face, true in faces.items():
            self._given[face] = (name, true)
        self._faces = Counter(given.casefold() for given, _ in self._given.values())
        told = [(given, true) for given, true in self._given.values() if true is not None]
        self.tally.given = len(told)
        self.tally.named = sum(true in self._wanted for _, true in told)
        self.tally.wrong = sum(given != true for given, true in told)


def _most(names: Iterable[str | None]) -> str | None:
    """Whom most of the faces show, as somebody sees it who looks at them."""
    counted = Counter(names).most_common(1)
    return counted[0][0] if counted else None


def _beginnings(name: str) -> list[str]:
    """A name from each of its words on: what is typed is compared with the beginnings of words."""
    words = name.split()
    return [" ".join(words[start:]) for start in range(len(words))]
