"""A systemd unit that serves a library, for ``image-search serve --print-unit``."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from image_search_service.core.config import PREFIX, SECRETS, Settings

SANDBOX: Final = (
    "NoNewPrivileges=yes",
    "LockPersonality=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "SystemCallArchitectures=native",
    "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6",
    "UMask=0077",
)
"""What a user's session can ask for, too."""
SYSTEM_SANDBOX: Final = (
    "PrivateDevices=yes",
    "PrivateTmp=yes",
    "ProtectSystem=strict",
    "ProtectHome=read-only",
    "ProtectKernelTunables=yes",
    "ProtectControlGroups=yes",
)
"""What needs the system's manager."""


def service_unit(settings: Settings, given: Mapping[str, Any]) -> str:
    """The system's, run by the library's owner, if root asks for it; else one of the user's session.

    given: settings from the command line. Those of the environment are kept, too, except secrets.
    """
    environment = {name: value for name, value in os.environ.items() if name.startswith(PREFIX)}
    environment |= {PREFIX + name.upper(): str(value) for name, value in given.items()}
    environment[f"{PREFIX}LIBRARY"] = str(settings.library)
    secret = [name for name in (PREFIX + name.upper() for name in SECRETS) if environment.pop(name, None)]
    as_root = os.name == "posix" and os.geteuid() == 0
    return unit_text(
        command=[*_program(), "serve"],
        environment=environment,
        secret=secret,
        writable=[settings.library, settings.models],
        owner=_owner(settings.library) if as_root else None,
    )


def unit_text(
    *,
    command: Sequence[str],
    environment: Mapping[str, str],
    secret: Sequence[str],
    writable: Sequence[Path],
    owner: str | None,
) -> str:
    """owner: who runs a unit of the system; None for a user's session. secret: variables left out."""
    lines = [
        "[Unit]",
        "Description=image-search-service: the people in a photo library",
        "After=network-online.target",
        "",
        "[Service]",
        f"ExecStart={' '.join(map(_quoted, command))}",
        *(f"Environment={_quoted(f'{name}={value}')}" for name, value in sorted(environment.items())),
        *(f"# {name} is secret: write it into a file, and name that in {name}_FILE." for name in secret),
        "Restart=on-failure",
        "RestartSec=5",
        "TimeoutStopSec=30",
        *SANDBOX,
    ]
    if owner is not None:
        writes = " ".join(_quoted(f"-{path}") for path in writable)
        lines += [f"User={owner}", *SYSTEM_SANDBOX, f"ReadWritePaths={writes}"]
    target = "default.target" if owner is None else "multi-user.target"
    return "\n".join([*lines, "", "[Install]", f"WantedBy={target}", ""])


def _program() -> list[str]:
    script = Path(sys.executable).with_name("image-search")
    return [str(script)] if script.exists() else [sys.executable, "-m", "image_search_service"]


def _owner(folder: Path) -> str:
    """The owner of the folder or, if it is not there yet, of the nearest folder above that is."""
    while not folder.exists():
        folder = folder.parent
    return folder.owner()


def _quoted(word: str) -> str:
    """A word as a unit's file wants it: ``%`` and quotes mean something there, and the end of a line would
    begin another setting."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    escaped = "".join(sign if sign.isprintable() else _as_bytes(sign) for sign in escaped)
    return f'"{escaped}"' if escaped != word or any(sign in word for sign in " ';") else escaped


def _as_bytes(sign: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in os.fsencode(sign))
