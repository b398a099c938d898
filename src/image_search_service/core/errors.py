"""Every error this project raises, as one tree.

    ImageSearchError
    ├── NotFoundError         404  photo, face, person, cluster, suggestion
    ├── ConflictError         409  decided meanwhile, already exists, in use by another process
    ├── InvalidInputError     422  what was wrong, and what would be right
    ├── MediaError            422  unreadable photo: it is reported, the run goes on
    ├── UnavailableError      503  vector store, database, queue, model: worth another try
    └── DataIntegrityError    500  something that must be there is not

A message says what is wrong; ``hint`` says what to do next. Texts that more than one place needs
stand here as classes, so that a sentence is written once.
"""

from __future__ import annotations


class ImageSearchError(Exception):
    """The root: everything that this project raises on purpose."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class NotFoundError(ImageSearchError):
    """A thing asked for by id or name does not exist."""


class ConflictError(ImageSearchError):
    """The request contradicts the present state."""


class InvalidInputError(ImageSearchError):
    """The request itself is wrong; the message says what would be right."""


class MediaError(ImageSearchError):
    """One photo cannot be read. It is reported with its reason, and the run goes on."""


class UnavailableError(ImageSearchError):
    """Something needed did not answer; the same call may work later. The only error that is retried."""


class DataIntegrityError(ImageSearchError):
    """Stored data contradicts itself, for instance an embedding of the wrong dimension."""
