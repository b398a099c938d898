"""Exports that are written to cost much."""

from __future__ import annotations

import json
import uuid
from io import BytesIO

import pytest

from image_search_service.core.errors import InvalidInputError
from image_search_service.services.exchange import lines
from image_search_service.services.exchange.lines import VERSION, checked, read_lines

HEADER = json.dumps({"kind": "header", "format": "image-search-service people", "version": VERSION})
END = '{"kind": "end"}'


class CountedReads(dict[uuid.UUID, bool | uuid.UUID]):
    """Counts how often a person is looked up."""

    reads = 0

    def __getitem__(self, person: uuid.UUID) -> bool | uuid.UUID:
        self.reads += 1
        return super().__getitem__(person)


def test_a_line_has_a_length(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a line without end no more is read than a line may have, and its number is said."""
    monkeypatch.setattr(lines, "LONGEST_LINE", 1_000)
    file = BytesIO(f"{HEADER}\n".encode() + b"9" * 10_000)
    with pytest.raises(InvalidInputError, match=r"Line 2 .*more than 1,000 bytes"):
        list(checked(read_lines(file)))
    assert file.tell() < 2_000


def test_merges_are_followed_once() -> None:
    """A chain of 5,000 merges costs 5,000 steps, and one that ends in a circle is refused."""
    checks = lines._LineChecks()
    ids = [uuid.UUID(int=n) for n in range(5_000)]
    chain = CountedReads(zip(ids, [*ids[1:], False], strict=True))
    checks.persons = chain
    checks.check_all(1)
    assert chain.reads <= len(ids)
    chain[ids[-1]] = ids[7]
    with pytest.raises(InvalidInputError, match="lead to no person"):
        checks.check_all(1)


@pytest.mark.parametrize(
    "hostile",
    [
        "[" * 100_000,
        '{"kind": "decision", "details": ' + '{"a":' * 100_000,
        '{"kind": "decision", "id": ' + "9" * 100_000 + "}",
        '{"kind": "person", "id": "00000000-0000-0000-0000-000000000001", "name": "'
        + "a\\u0301" * 10**6
        + '"}',
    ],
)
def test_what_is_deep_or_long_is_refused(hostile: str) -> None:
    """Brackets, numbers and names without end are wrong lines, with their number, and nothing else."""
    with pytest.raises(InvalidInputError, match="Line 2 "):
        list(checked([HEADER, hostile, END]))
