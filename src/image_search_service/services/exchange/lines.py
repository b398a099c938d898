"""The lines of an export (``docs/exchange.md``): what each may be, and whether they fit together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import IO, Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    TypeAdapter,
    ValidationError,
    field_validator,
)

from image_search_service.core.decisions import PERSON_FACTS, Fact
from image_search_service.core.errors import InvalidInputError
from image_search_service.core.names import clean_name, clean_note, name_key
from image_search_service.core.types import Box

FORMAT: Literal["image-search-service people"] = "image-search-service people"
VERSION = 3

LONGEST_LINE: Final = 2**25
"""Bytes of a line: a decision about more than 100,000 faces has so many."""

Share = Annotated[float, Field(allow_inf_nan=False, ge=-1, le=2)]
Extent = Annotated[NonNegativeFloat, Field(allow_inf_nan=False, gt=0, le=2)]


class Line(BaseModel):
    """The base of all lines; unknown keys, of later versions, are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class HeaderLine(Line):
    kind: Literal["header"]
    format: Literal["image-search-service people"]
    version: int = Field(ge=1)


class PersonLine(Line):
    """A person. cover: the id of a face's line. note: what tells them from somebody of the same name.

    gone: true if deleted or never created, the other person's id if merged.
    """

    kind: Literal["person"] = "person"
    id: UUID
    name: str
    hidden: bool = False
    birth_date: date | None = None
    note: str | None = None
    cover: UUID | None = None
    gone: bool | UUID = False

    @field_validator("name")
    @classmethod
    def _has_a_name(cls, name: str) -> str:
        try:
            return clean_name(name)[0]
        except InvalidInputError as error:
            raise ValueError(error.message) from error

    @field_validator("note")
    @classmethod
    def _is_plain(cls, note: str | None) -> str | None:
        try:
            return clean_note(note)
        except InvalidInputError as error:
            raise ValueError(error.message) from error

    @property
    def key(self) -> str:
        """The name as it is compared."""
        return name_key(self.name)


class FaceLine(Line):
    """A face: the SHA-256 of its photo's file, its box in shares of the upright photo, what was said of it.

    by_hand: whether a human drew the box, or a named region gave it, where no face was found.

    group: the cluster without a name that a human put it into. apart: for each difference between two groups
    the side, 0 or 1, that the face is on.
    """

    kind: Literal["face"] = "face"
    id: UUID | None = None
    photo: str = Field(min_length=1, max_length=64)
    box: tuple[Share, Share, Extent, Extent]
    person: UUID | None = None
    group: UUID | None = None
    is_face: bool = True
    by_hand: bool = False
    set_aside: bool = False
    rejected_for: list[UUID] = []
    pinned_for: list[UUID] = []
    apart: dict[UUID, Literal[0, 1]] = {}

    @property
    def place(self) -> Box:
        return Box(*self.box)


class DifferentLine(Line):
    """Two persons who were marked as different."""

    kind: Literal["different"] = "different"
    persons: tuple[UUID, UUID]


class DecisionLine(Line):
    """An event. changes: fact, face or person, other id or null, old and new value."""

    kind: Literal["decision"] = "decision"
    id: int = Field(ge=1, le=2**31 - 1)
    what: str = Field(min_length=1, max_length=32)
    actor: str = Field(max_length=128)
    at: AwareDatetime
    undoes: int | None = None
    details: dict[str, Any] = {}
    changes: list[tuple[Fact, UUID, UUID | None, Any, Any]]


class EndLine(Line):
    """The last line, so that a file that was truncated between two lines is recognized."""

    kind: Literal["end"] = "end"


AnyLine = EndLine | PersonLine | FaceLine | DifferentLine | DecisionLine
_LINES: TypeAdapter[AnyLine] = TypeAdapter(Annotated[AnyLine, Field(discriminator="kind")])


def read_lines(file: IO[bytes]) -> Iterator[str]:
    """The lines of an export, of any number of bytes, one in memory at a time.

    Raises InvalidInputError for a line that is too long, or not text in UTF-8.
    """
    number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            raise _wrong(number, ValueError(f"it has more than {LONGEST_LINE:,} bytes"))
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise _wrong(number, ValueError("it is not text in UTF-8")) from error


def checked(lines: Iterable[str]) -> Iterator[AnyLine]:
    """The lines behind the header, each checked by itself and against those before it.

    Raises InvalidInputError with the number of the first that is wrong.
    """
    seen = _LineChecks()
    number = 0
    for number, text in enumerate(lines, 1):
        try:
            if number == 1:
                _require_version(HeaderLine.model_validate_json(text).version)
            elif text.strip():
                line = _LINES.validate_json(text)
                seen.check(line)
                yield line
        except (ValidationError, ValueError) as error:
            raise _wrong(number, error) from error
    if number == 0:
        raise _wrong(1, ValueError("there is none"))
    _require_end(number, seen)
    seen.check_all(number)


def _require_version(version: int) -> None:
    if version > VERSION:
        raise InvalidInputError(
            f"Line 1 says that a newer version of this program wrote the file (format {version}).",
            hint="Update image-search-service; nothing was changed.",
        )
    if version < VERSION:
        raise InvalidInputError(
            f"Line 1 says that the file has format {version}, which no released version has written.",
            hint=f"Export anew with the version that wrote it until its files say format {VERSION}.",
        )


def _require_end(number: int, seen: _LineChecks) -> None:
    if not seen.ended:
        raise InvalidInputError(
            f'Line {number} is the last, and is not the {{"kind": "end"}} of a whole file: it was cut off.',
            hint="Export or copy it anew; nothing was changed.",
        )


def reread(file: IO[str]) -> Iterator[AnyLine]:
    """The same lines once more, after they were all checked."""
    file.seek(0)
    next(file)
    return (_LINES.validate_json(text) for text in file if text.strip())


class _LineChecks:
    """Checks lines against the earlier ones that they refer to. persons: of each, whether they are gone, or
    into whom."""

    def __init__(self) -> None:
        self.persons: dict[UUID, bool | UUID] = {}
        self.faces: set[UUID] = set()
        self.decisions: set[int] = set()
        self.last = 0
        self.ended = False

    def check(self, line: AnyLine) -> None:
        """Raises ValueError."""
        _require(not self.ended, "it comes after the end")
        match line:
            case EndLine():
                self.ended = True
            case PersonLine():
                self._person(line)
            case FaceLine():
                _require(line.id is None or line.id not in self.faces, f"the face {line.id} has two lines")
                self.faces |= set() if line.id is None else {line.id}
                self._known([line.person, *line.rejected_for, *line.pinned_for])
            case DifferentLine():
                self._known(line.persons)
            case DecisionLine():
                _require(line.id > self.last, f"the decision {line.id} comes after {self.last}")
                _require(
                    line.undoes is None or line.undoes in self.decisions,
                    f"it undoes {line.undoes}, which has no line before it",
                )
                self.last = line.id
                self.decisions.add(line.id)
                about = [change for change in line.changes if change[0] in PERSON_FACTS]
                self._known(change[1] for change in about)

    def check_all(self, number: int) -> None:
        """Check what only the whole file shows: merges of persons, each followed once. Raises
        InvalidInputError."""
        lead_somewhere: set[UUID] = set()
        for person, into in self.persons.items():
            seen: set[UUID] = set()
            while isinstance(into, UUID) and person not in lead_somewhere:
                if into not in self.persons or person in seen:
                    raise _wrong(number, ValueError(f"the merges of the person {person} lead to no person"))
                seen.add(person)
                person, into = into, self.persons[into]  # noqa: PLW2901 - follows the merges
            lead_somewhere |= seen

    def _person(self, line: PersonLine) -> None:
        _require(line.id not in self.persons, f"the person {line.id} has two lines")
        self.persons[line.id] = line.gone

    def _known(self, persons: Iterable[UUID | None]) -> None:
        for person in persons:
            _require(person is None or person in self.persons, f"the person {person} has no line before it")


def _require(right: bool, otherwise: str) -> None:
    if not right:
        raise ValueError(otherwise)


def _wrong(number: int, error: Exception) -> InvalidInputError:
    why = str(error)
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        why = f"{'.'.join(map(str, first['loc'])) or 'it'}: {first['msg']}"
    return InvalidInputError(
        f"Line {number} is not what image-search export writes: {why}.",
        hint="docs/exchange.md says what a line may be.",
    )
