"""Addresses of servers: what is said of them, and what is not."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Final

_SECRETS: Final = re.compile(r"(?s)^(\s*[\w+.-]*://)?.*@")  # to the last @: a password may hold any character
_SECRET_PARAMETERS: Final = re.compile(r"(?i)([?&][^=&]*(?:password|passwd|key|token|secret)[^=&]*=)[^&#]*")


def without_secrets(address: str) -> str:
    """The address as it may be shown: without user name, password and keys."""
    return _SECRET_PARAMETERS.sub(r"\1…", _SECRETS.sub(r"\1…@", address))


def is_loopback(host: str | None) -> bool:
    """Whether a host, by name or number, with or without brackets, is this machine itself."""
    name = (host or "").strip("[]").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
