"""Every error this project raises, as one tree.

    ImageSearchError
    ├── NotFoundError         404  photo, face, person, cluster, suggestion
    │   └── LostCollectionError  503  the vector store does not have the collection any more
    ├── ConflictError         409  decided meanwhile, already exists
    │   ├── LibraryInUseError      another process has the library open
    │   ├── StaleVersionError      what was decided on has changed
    │   ├── NameTakenError         somebody has the name: is it them?
    │   ├── SharedNameError        two people have the name: which of them?
    │   ├── EngineMismatchError    the library was made with another engine
    │   ├── NewerLibraryError      the library was written by a newer version
    │   ├── NoBackupError          an older library cannot be backed up before it is changed
    │   ├── UnreleasedLibraryError the library was written before the first release
    │   └── RestoreInterruptedError  a backup is half restored into the library
    ├── KeyNeededError        403  for commands that know the library's key alone
    ├── InvalidInputError     422  what was wrong, and what would be right
    │   ├── NotEnoughMemoryError   the memory allowed is too little for so many faces
    │   └── UnsupportedByEmbeddedQdrantError  a Qdrant server can do it, the embedded engine cannot
    ├── MediaError            422  unreadable photo: it is reported, the run goes on
    │   └── MediaUnavailableError  it cannot be read just now, which says nothing of its content
    ├── UnavailableError      503  vector store, database, queue, model: a retry may succeed
    │   ├── LostTurnError          another process does by now what this one was doing
    │   ├── KeyRefusedError        the vector store does not accept the key
    │   └── RateLimitedError       the vector store's rate limit is reached
    └── DataIntegrityError    500  stored data is missing or contradicts itself
        ├── DamagedDatabaseError   the database's own check finds damage in its file
        ├── MigrationFailedError   an older library could not be brought to this version
        ├── CopiedLibraryError   503  another copy of the library has used one of its stores
        └── VectorStoreError       the vector store gave an answer that cannot be used
            ├── RequestTooLargeError     a smaller request may succeed
            ├── DamagedCollectionError 503  the embedded engine cannot read its files
            └── LostEmbeddingsError  503  the vector store has fewer faces than SQL

A message says what is wrong; ``hint`` says what to do next. Messages that several places need are classes
here, so that each is written once.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from image_search_service.core.records.library import StoreMark
from image_search_service.core.records.people import PersonName
from image_search_service.core.types import EngineIdentity


class ImageSearchError(Exception):
    """The root: everything that this project raises on purpose."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class NotFoundError(ImageSearchError):
    """A thing asked for by id or name does not exist."""


class LostCollectionError(NotFoundError):
    """The vector store does not have a collection that it is asked for."""


class ConflictError(ImageSearchError):
    """The request contradicts the present state."""


class StaleVersionError(ConflictError):
    """What a decision was based on has changed since. version, size: the present ones."""

    def __init__(self, message: str, *, version: str, size: int) -> None:
        self.version = version
        self.size = size
        super().__init__(message, hint="Look again and decide anew.")


class NameTakenError(ConflictError):
    """Somebody has the name that is given. people: those who have it."""

    def __init__(self, people: Sequence[PersonName], *, hint: str = "") -> None:
        self.people = tuple(people)
        super().__init__(
            _having("There is a person called {name} already", self.people),
            hint=hint
            or "Say who is meant: `--same` for that person, `--another` for somebody else of that name; over "
            "HTTP `same` with the id, or `another`.",
        )


class SharedNameError(ConflictError):
    """A name was given that several people have. people: they."""

    def __init__(self, people: Sequence[PersonName]) -> None:
        self.people = tuple(people)
        super().__init__(
            _having("There is a person called {name}", self.people),
            hint="Give the id in place of the name; `image-search note` sets what tells them apart.",
        )


def _having(one: str, people: Sequence[PersonName]) -> str:
    name = people[0].name
    each = "; ".join(person.told_apart for person in people)
    if len(people) == 1:
        return f"{one.format(name=name)} ({each})."
    return f"{len(people)} people are called {name}: {each}."


class LibraryInUseError(ConflictError):
    """Another process has the library open; ``holder`` is its process id and command line.

    address: its HTTP address, if it is a service.
    """

    def __init__(self, library: Path, holder: str, *, address: str | None = None) -> None:
        self.address = address
        pid, _, command = holder.partition(" ")
        who = f"process {pid} ({command or 'unknown command'})" if pid else "another process"
        super().__init__(
            f"The library {library} is in use by {who}.",
            hint="Wait until it has finished, or stop it, or choose another library with --library."
            if address is None
            else f"Do it on its pages ({address}; `image-search address` prints the address with its token), "
            "or stop it.",
        )


class EngineMismatchError(ConflictError):
    """Embeddings of two engines cannot be compared, so they are never mixed in one library."""

    def __init__(self, bound: EngineIdentity, wanted: EngineIdentity | str) -> None:
        other = wanted if isinstance(wanted, str) else _described(wanted)
        super().__init__(
            f"This library was made with the engine {_described(bound)}; {other} gives embeddings that "
            "cannot be compared with it.",
            hint="Drop --engine and its files to continue with the library's own engine, move the library "
            "to the other one (`image-search engine NAME`), or start another library with --library.",
        )


def _described(engine: EngineIdentity) -> str:
    return f"{engine.name} ({engine.dimension} numbers, model {engine.checksum[:12]})"


class NewerLibraryError(ConflictError):
    """The library's database has a revision that this version does not know. needed: the version that wrote
    it, None if the library does not say. present: this version."""

    def __init__(self, revision: str, needed: str | None, present: str) -> None:
        by = "a newer version of this program" if needed is None else f"image-search-service {needed}"
        super().__init__(
            f"The library was written by {by}, and this is {present} (database revision {revision}).",
            hint=f"Install image-search-service {needed or 'of that version'} or later; nothing was changed.",
        )


class NoBackupError(ConflictError):
    """An older library has to be changed for this version, and cannot be backed up first. reason: why."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The library is from an older version, and its database cannot be backed up before it is "
            f"changed: {reason}.",
            hint="Back it up yourself, then run `image-search upgrade --no-backup`. Nothing was changed.",
        )


class UnreleasedLibraryError(ConflictError):
    """The library's database has a revision that no released version ever wrote."""

    def __init__(self, revision: str) -> None:
        super().__init__(
            f"The library was written before the first release (database revision {revision}).",
            hint="With the version that wrote it run `image-search export FILE`; with this one index the "
            "photos into a new library and run `image-search import FILE`. Nothing was changed.",
        )


class RestoreInterruptedError(ConflictError):
    """A restore into the library was interrupted and is not complete."""

    def __init__(self, library: Path) -> None:
        super().__init__(
            f"A backup was being restored into the library {library}, and that was broken off.",
            hint="Run `image-search restore` again: it removes what was restored so far and starts again.",
        )


class KeyNeededError(ImageSearchError):
    """The service was asked for what only whoever can write in the library's folder may ask for."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} only by commands of whoever can write in the library's folder.",
            hint="Run the command on the service's machine, with --library and the folder.",
        )


class InvalidInputError(ImageSearchError):
    """The request itself is wrong; the message says what would be right."""


class MediaError(ImageSearchError):
    """One photo cannot be read. It is reported with its reason, and the run goes on."""


class MediaUnavailableError(MediaError):
    """One photo cannot be read just now, for a reason that may pass: its disk, its rights, memory, a setting.

    It says nothing of the content, so it is not stored with it; the next run tries again.
    """


class UnavailableError(ImageSearchError):
    """A store or service did not answer; the same call may succeed later. The only error that is retried."""


class DataIntegrityError(ImageSearchError):
    """Stored data contradicts itself, for instance an embedding of the wrong dimension."""


class LostTurnError(UnavailableError):
    """Another process does by now what this one was doing, which writes no more."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"The turn of {what} was lost with a connection to the database; another process has it now.",
            hint="What was stored stays; the same command, or the job by itself, goes on from there.",
        )


class DamagedDatabaseError(DataIntegrityError):
    """The database cannot be read, or its own check finds damage. reason: in its words."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"The database is damaged: {reason}.",
            hint="image-search doctor --repair makes its indexes again, if only these are damaged. Else "
            "restore the last backup into a new folder: image-search restore FILE --library NEW_FOLDER.",
        )


class MigrationFailedError(DataIntegrityError):
    """An older library could not be brought to this version's schema. before, after: the revisions."""

    def __init__(self, before: str, after: str, reason: str) -> None:
        super().__init__(
            f"The library could not be changed from database revision {before} to {after}: {reason}",
            hint="It is as it was: the version that wrote it still opens it. Report this with the message.",
        )


class CopiedLibraryError(DataIntegrityError):
    """A store has the mark of another copy of this library, or of another library: each would remove what the
    other one stored. other: who opened it last. of_folder: whether the folder is the odd one; then both have
    the same database."""

    def __init__(self, store: str, other: StoreMark | None, *, of_folder: bool) -> None:
        self.of_folder = of_folder
        who = "another one" if other is None else f"{other.opened_by}, at {other.opened_at}"
        super().__init__(
            f"{store} another copy of this library has used since: {who}.",
            hint=_WHICH_FOLDER if of_folder else _WHICH_COPY,
        )


_WHICH_COPY = (
    "Each would remove the embeddings of the other. Say which one this is: `image-search doctor --is "
    "original` leaves them to this one, and the other is asked when it is opened; `image-search doctor --is "
    "copy` gives this one embeddings of its own."
)
_WHICH_FOLDER = (
    "All processes of a library share one folder. If this is that folder, say so: `image-search doctor --is "
    "original`. If it is another library's, or a copy, it needs a database of its own "
    "(IMAGE_SEARCH_DATABASE_URL); once it has that, say `image-search doctor --is copy`."
)


class KeyRefusedError(UnavailableError):
    """The vector store does not accept the key. Retrying does not help until the key is corrected."""


class RateLimitedError(UnavailableError):
    """The vector store's rate limit is reached. seconds: after how many to try again, if it says so."""

    def __init__(self, message: str, *, hint: str | None = None, seconds: int | None = None) -> None:
        self.seconds = seconds
        super().__init__(message, hint=hint)


class VectorStoreError(DataIntegrityError):
    """The vector store gave an answer that cannot be used: malformed, or too large."""


class RequestTooLargeError(VectorStoreError):
    """The vector store, or a proxy before it, refuses a request for its size; a smaller one may succeed."""


class DamagedCollectionError(VectorStoreError):
    """The embedded engine cannot read the files of a collection. reason: in its words."""

    def __init__(self, collection: str, reason: str) -> None:
        super().__init__(
            f"The files of {collection} are damaged: {reason}.",
            hint="image-search doctor --repair makes them again from what can be read of them, the last "
            "backup and the photos; names and groups are kept.",
        )


class LostEmbeddingsError(VectorStoreError):
    """The vector store has fewer faces than SQL: going on would compare a part of them."""

    def __init__(self, there: int, expected: int) -> None:
        super().__init__(
            f"Qdrant has {there:,} of {expected:,} faces: the embeddings of the others are lost.",
            hint="image-search doctor --repair makes them again from the photos; names and groups are kept.",
        )


class NotEnoughMemoryError(InvalidInputError):
    """The memory that grouping may use is too little for the number of faces."""

    def __init__(self, faces: int, needed: int, allowed: int) -> None:
        super().__init__(
            f"Grouping {faces:,} faces needs about {needed / 2**20:,.0f} MiB, "
            f"and {allowed / 2**20:,.0f} MiB are allowed.",
            hint="Allow more with --memory, as far as the machine has it.",
        )


class UnsupportedByEmbeddedQdrantError(InvalidInputError):
    """``what`` was asked of the embedded Qdrant, which has the part of Qdrant that this project needs."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"The embedded Qdrant does not support {what}.",
            hint="A Qdrant server does: set IMAGE_SEARCH_QDRANT_URL.",
        )
