"""Settings that are secret may be read from files, as containers and systemd hand them over.

``IMAGE_SEARCH_DATABASE_URL_FILE`` names a file that holds what ``IMAGE_SEARCH_DATABASE_URL`` would.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from image_search_service.core.errors import InvalidInputError

SUFFIX: Final = "_FILE"


def secrets_from_files(variables: Iterable[str], environment: Mapping[str, str]) -> dict[str, str]:
    """What the files hold that ``VARIABLE_FILE`` names, by variable, without white space around it.

    Raises InvalidInputError for a file that cannot be read, and where the variable itself is set, too.
    """
    named = {name: environment[name + SUFFIX] for name in variables if environment.get(name + SUFFIX)}
    for name in named:
        if environment.get(name):
            raise InvalidInputError(
                f"{name} and {name}{SUFFIX} are both set.", hint="Unset one of them; the file is safer."
            )
    return {name: _secret(name, Path(path)) for name, path in named.items()}


def _secret(name: str, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise InvalidInputError(
            f"{name}{SUFFIX} names {path}, which cannot be read: {reason}.",
            hint="Name a file that the user of this process may read.",
        ) from None
