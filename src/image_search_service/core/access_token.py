"""Tokens that let people into the service.

The owner's is created once, in a file that only the owner may read. Other people's are in SQL, each as its
SHA-256 alone (``services/access_tokens.py``). A plain fast hash is right here: a token is 256 random bits,
which nobody finds by trying, however fast they try; slow and salted hashes are for passwords that people
think of. And since a token is looked up by its hash, the time that this takes tells nothing of the token.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from image_search_service.core.errors import InvalidInputError
from image_search_service.core.paths import LibraryPaths
from image_search_service.core.private_files import make_private_folder, open_private

TOKEN_BYTES: Final = 32
KEY_HEADER: Final = "X-Library-Key"
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{20,}")
"""What a token that somebody has chosen must look like: it has to fit into an address and a cookie."""
MOST_OF_A_TOKEN: Final = 200


@dataclass(frozen=True, slots=True)
class Caller:
    """Whom a token lets in. name: of the person whose token it is; None for the owner's.

    may_name_others: whether they are believed when they say who decides.
    """

    token: str = field(repr=False)
    name: str | None = None
    may_name_others: bool = True

    @property
    def fixed_name(self) -> str | None:
        """The name under which everything is decided; None if each request may say another."""
        return None if self.may_name_others else self.name


def read_token(path: Path) -> str | None:
    """The token in a file, None if there is no file. Raises InvalidInputError for what is no token."""
    try:
        token = path.read_text(encoding="utf-8", errors="replace").strip()
    except FileNotFoundError:
        return None
    if _TOKEN.fullmatch(token) is None:
        raise InvalidInputError(
            f"{path} holds no token: 20 or more letters, digits, '-' and '_'.",
            hint="Delete the file; the next start of the service makes a new token.",
        )
    return token


def read_or_create_token(path: Path) -> str:
    """The token in a file; a new one if there is none. Several processes at once get the same.

    Raises InvalidInputError for a file that holds none.
    """
    token = read_token(path)
    if token is not None:
        return token
    make_private_folder(path.parent)
    _create(path, secrets.token_urlsafe(TOKEN_BYTES))
    created = read_token(path)
    assert created is not None  # noqa: S101 - it has just been put there, by whomever
    return created


def _create(path: Path, token: str) -> None:
    """Put a token into its place whole, unless another process was quicker."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with open(temporary, "x", encoding="utf-8", opener=open_private) as file:
            file.write(token + "\n")
            file.flush()
            os.fsync(file.fileno())
        _link(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _link(temporary: Path, path: Path) -> None:
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        pass  # another process was quicker
    except OSError:  # a file system without links
        temporary.replace(path)


def is_token(text: str) -> bool:
    """Whether this could be a token: what could not is not looked up."""
    return len(text) <= MOST_OF_A_TOKEN and _TOKEN.fullmatch(text) is not None


def digest_of(token: str) -> bytes:
    """What is kept of a person's token."""
    return hashlib.sha256(token.encode()).digest()


def same_token(candidate: str, token: str) -> bool:
    """Compared in a time that does not tell how much of it was right."""
    return secrets.compare_digest(candidate.encode(), token.encode())


def bearer_headers(path: Path) -> dict[str, str]:
    """The headers that a command sends to the service whose token is in this file; none without the file."""
    token = read_token(path)
    return {} if token is None else {"Authorization": f"Bearer {token}"}


def command_headers(paths: LibraryPaths) -> dict[str, str]:
    """The same with the library's key, which is made if there is none.

    The token lets in whoever was given the address. The key is known only to those who can write in the
    library's folder; they may name any folder of the machine, as they may without a service.
    """
    return bearer_headers(paths.token) | {KEY_HEADER: read_or_create_token(paths.key)}


def is_key(candidate: str | None, path: Path) -> bool:
    """Whether this is the library's key."""
    key = read_token(path)
    return key is not None and candidate is not None and same_token(candidate, key)
